/** One Hono app in front of two handlers, on every runtime, under Edgewire's adapters and bare. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { start, startWorker } from "../docs/run.ts";
import type { Server } from "../docs/run.ts";

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Hono's compress is not for Cloudflare, which compresses what says that it is compressed once more (Hono's documentation). */
const identity = { "accept-encoding": "identity" };

/** What a client of `path` sees: the 101's headers and the answer to a message, or the refusal. */
async function join(
  port: number,
  path: string,
  protocols: string[] = [],
): Promise<{ headers: IncomingMessage["headers"]; socket: WebSocket }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols);
  const [[response]] = await Promise.all([once(socket, "upgrade") as Promise<[IncomingMessage]>, once(socket, "open")]);
  return { headers: response.headers, socket };
}

async function answer(socket: WebSocket, data: string): Promise<string> {
  socket.send(data);
  const [message] = (await once(socket, "message")) as [Buffer];
  return String(message);
}

async function refused(
  port: number,
  path: string,
): Promise<{ status: number | undefined; body: string; headers: IncomingMessage["headers"] }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage];
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, body, headers: response.headers };
}

interface Column {
  readonly name: string;
  start(): Promise<Server>;
  /** Whether headers that middleware sets after the route reach the 101; false where the runtime has written it by then. */
  readonly late: boolean;
}

const columns: Column[] = [
  { name: "node", start: () => start("node", file("serve.ts")), late: true },
  { name: "node, attached", start: () => start("node", file("attach.ts")), late: true },
  { name: "bun", start: () => start("bun", file("serve.ts")), late: true },
  { name: "deno", start: () => start("deno", file("serve.ts")), late: true },
  { name: "bare Bun.serve", start: () => start("bun", file("bare-bun.ts")), late: false },
  { name: "bare Deno.serve", start: () => start("deno", file("bare-deno.ts")), late: true },
  { name: "workerd", start: () => startWorker(file("worker.ts"), { ROOM: "ChatRoom" }), late: true },
];

describe.each(columns)("$name", (column) => {
  test("mounts handlers behind middleware, whose headers reach the 101", async () => {
    await using server = await column.start();
    const { port } = server;
    const { socket, headers } = await join(port, "/ws/lobby?user=Ada", ["chat"]);
    expect(headers).toMatchObject({
      "sec-websocket-protocol": "chat",
      "x-upgrade": "hook",
      "x-before": "1",
      "access-control-allow-origin": "*",
      ...(column.late ? { "x-after": "1", "x-frame-options": "SAMEORIGIN" } : {}),
    });
    expect(headers["set-cookie"]).toEqual(["before=1", "a=1", "b=2"]);
    if (column.late) expect(headers["server-timing"]).toContain("total");
    expect(headers["content-type"]).toBeUndefined();
    expect(await answer(socket, "hello")).toBe("lobby Ada hello");
    const announced = fetch(`http://127.0.0.1:${port}/announce/lobby`, { method: "POST", body: "to all", headers: identity });
    const [message] = (await once(socket, "message")) as [Buffer];
    expect(String(message)).toBe("to all");
    expect(await (await announced).json()).toEqual({ count: 1, reached: 1 });
    const echo = await join(port, "/echo");
    expect(await answer(echo.socket, "plain")).toBe("plain");
    echo.socket.close(4000, "done");
    expect((await once(echo.socket, "close"))[0]).toBe(4000);
    socket.close();
    await once(socket, "close");
  });

  test("what was given to waitUntil is done after the client has left", async () => {
    await using server = await column.start();
    const { port } = server;
    const { socket } = await join(port, "/echo");
    expect(await answer(socket, "work")).toBe("work");
    socket.terminate();
    const worked = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/worked`, { headers: identity })).text();
    await expect.poll(worked, { timeout: 5000 }).toBe("1");
  });

  test("refuses through the app", async () => {
    await using server = await column.start();
    const { port } = server;
    expect(await refused(port, "/ws/broken")).toMatchObject({ status: 418, body: "onError: secret" });
    const members = await refused(port, "/ws/members");
    expect(members).toMatchObject({ status: 401, body: "members only" });
    expect(members.headers).toMatchObject({ "www-authenticate": "Basic", "access-control-allow-origin": "*" });
    expect(await refused(port, "/nowhere")).toMatchObject({ status: 404 });
    if (column.late && !column.name.startsWith("bare") && column.name !== "workerd") {
      expect(await refused(port, "/ws/lobby?after=403")).toMatchObject({ status: 403, body: "no after all" });
    }
    // What no runtime can send is the hook's error: no page of the runtime's own, which on Bun shows the working directory.
    for (const [kind, why] of [
      ["error", "has the status 0: it must be from 200 to 599 [EW222]"],
      ["used", "has a body that was already used: create a Response for each request [EW220]"],
      ["header", 'has a control character in the header "x-odd" [EW219]'],
    ]) {
      expect(await refused(port, `/ws/unsendable?user=${kind}`)).toMatchObject({
        status: 418,
        body: `onError: the Response of upgrade ${why}`,
      });
    }
    expect(await refused(port, "/ws/unsendable?user=fails+midway")).toMatchObject({ status: 418, body: "onError: secret" });
    if (column.late && !column.name.startsWith("bare") && column.name !== "workerd") {
      expect(await refused(port, "/ws/lobby?after=odd")).toMatchObject({ status: 500, body: "Internal Server Error\n" });
    }
    // The server is as well as before, and HTTP beside it too.
    expect(await (await fetch(`http://127.0.0.1:${port}/`, { headers: identity })).text()).toBe("home");
    expect((await fetch(`http://127.0.0.1:${port}/ws/lobby`)).status).toBe(426);
    const { socket } = await join(port, "/ws/lobby");
    expect(await answer(socket, "still")).toBe("lobby nobody still");
    socket.terminate();
  });
});
