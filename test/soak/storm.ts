/** What a storm of clients does, all of them at once: connections that vanish at every stage, heads that trickle in, floods. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { messageFrame } from "../wire/frames.ts";
import { encodeRequest } from "../wire/http.ts";

export interface Storm {
  readonly port: number;
  /** How many connections vanish. */
  readonly connections: number;
  readonly tag: string;
}

/** Nobody cares how these end. */
function open(port: number): Socket {
  return connect(port, "127.0.0.1").on("error", () => {});
}

const stages = ["at once", "inside the head", "before the 101", "after the 101"] as const;

/** All connect before any of them is reset. */
export async function vanish({ port, connections, tag }: Storm): Promise<void> {
  const sockets = Array.from({ length: connections }, (_, index) => ({ socket: open(port), stage: stages[index % stages.length] }));
  await Promise.all(
    sockets.map(async ({ socket, stage }, index) => {
      await Promise.race([once(socket, "connect"), once(socket, "close")]);
      if (socket.destroyed) return;
      const slow = stage === "before the 101";
      const request = encodeRequest({ target: target(tag, index, slow) }, "localhost");
      if (stage === "inside the head") socket.write(request.subarray(0, request.length / 2));
      else if (stage !== "at once") socket.write(request);
      if (stage === "after the 101") await Promise.race([once(socket, "data"), once(socket, "close")]);
    }),
  );
  for (const { socket } of sockets) socket.resetAndDestroy();
}

/** Heads that never end, a byte at a time; then they are let go. */
export async function trickle({ port, connections }: Storm, milliseconds: number): Promise<void> {
  const sockets = Array.from({ length: Math.ceil(connections / 5) }, () => open(port));
  for (const socket of sockets) socket.write("GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
  for (let waited = 0; waited < milliseconds; waited += 100) {
    await sleep(100);
    for (const socket of sockets) if (!socket.destroyed) socket.write("x");
  }
  for (const socket of sockets) socket.destroy();
}

/** More messages than the rate allows: how many of the clients were told with a close frame, or lost their connection. */
export async function flood({ port, tag }: Storm, clients: number, messages: number): Promise<number> {
  const frames = Buffer.concat(Array.from({ length: 1000 }, () => messageFrame("x")));
  const ended = await Promise.all(
    Array.from({ length: clients }, async (_, index) => {
      const socket = open(port);
      socket.write(encodeRequest({ target: target(tag, index, false) }, "localhost"));
      await Promise.race([once(socket, "data"), once(socket, "close")]);
      const closed = new Promise<boolean>((resolve) => {
        // Nothing else comes: no hook of theirs sends anything.
        socket.on("data", (chunk: Buffer) => {
          if (chunk[0] === closeFrame) resolve(true);
        });
        socket.on("end", () => resolve(true)).on("close", () => resolve(true));
      });
      for (let sent = 0; sent < messages && !socket.destroyed; sent += 1000) {
        if (!socket.write(frames)) await Promise.race([once(socket, "drain"), closed]);
      }
      const cut = await Promise.race([closed, sleep(15_000, false)]);
      socket.destroy();
      return cut;
    }),
  );
  return ended.filter(Boolean).length;
}

/** The first byte of a close frame. */
const closeFrame = 0x88;

function target(tag: string, index: number, slow: boolean): string {
  const query = new URLSearchParams({ tag, peer: String(index), room: `${tag}-${index % 4}`, message: "[]" });
  if (slow)
    query.set(
      "upgrade",
      JSON.stringify([
        ["sleep", 100],
        ["accept", { room: `${tag}-slow` }],
      ]),
    );
  return `/?${query}`;
}
