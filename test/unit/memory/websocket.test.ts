/** The client in memory is a WebSocket: what it does is compared with Node's own, connected to the same handler by Node's `serve`. */
import { afterEach, expect, test } from "vitest";
import { memory } from "../../../adapters/memory/index.ts";
import type { MemoryWebSocket } from "../../../adapters/memory/index.ts";
import { serve } from "../../../adapters/node/index.ts";
import { defineHandler } from "../../../src/index.ts";

const handler = defineHandler({
  protocols: ["chosen"],
  maxPayload: 1000,
  upgrade: (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/refused") return new Response("no", { status: 403 });
    if (pathname === "/throws") throw new Error("on purpose");
    return { room: pathname };
  },
  open(connection) {
    if (connection.room.name === "/greets") for (const text of ["one", "two"]) connection.send(text);
    if (connection.room.name === "/leaves") connection.close(4001, "at once");
    if (connection.room.name === "/cuts") connection.terminate();
  },
  message(connection, data) {
    if (data === "close") connection.close(4002, "as you say");
    else if (data === "cut") connection.terminate();
    else if (data === "two") for (const text of ["first", "second"]) connection.send(text);
    else connection.send(data);
  },
  error: () => {},
});

type Socket = WebSocket & MemoryWebSocket;
type Constructor = new (url: string, protocols?: string | string[]) => Socket;

let serving: Awaited<ReturnType<typeof serve>> | undefined;
afterEach(async () => {
  await serving?.close();
  serving = undefined;
});

/** What a script sees, on Node's WebSocket and on memory's. */
async function both(script: (Socket: Constructor, base: string) => Promise<unknown>): Promise<[node: unknown, memory: unknown]> {
  serving = await serve(handler, { port: 0, hostname: "127.0.0.1" });
  const server = memory(handler);
  const node = await script(globalThis.WebSocket as unknown as Constructor, `ws://127.0.0.1:${serving.port}`);
  const inMemory = await script(server.WebSocket as unknown as Constructor, "ws://localhost");
  await server.close();
  return [node, inMemory];
}

/** The events of a socket, with its state, until it has closed. */
function eventsOf(socket: Socket): { readonly closed: Promise<unknown> } {
  const log: unknown[][] = [["made", socket.readyState, socket.protocol, socket.extensions, socket.binaryType, socket.bufferedAmount]];
  const { promise, resolve } = Promise.withResolvers<unknown>();
  socket.addEventListener("open", () => log.push(["open", socket.readyState, socket.protocol]));
  socket.addEventListener("message", ({ data }) => log.push(["message", socket.readyState, data]));
  socket.addEventListener("error", ({ target }) => {
    // Node also reports a lost connection as an error; a browser does not (test/client/memory.test.ts), nor does memory.
    if (!log.some(([type]) => type === "open")) log.push(["error", socket.readyState, target === socket]);
  });
  socket.addEventListener("close", ({ code, reason, wasClean }) => {
    log.push(["close", socket.readyState, code, reason, wasClean]);
    resolve(log);
  });
  return { closed: promise };
}

const opened = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }));

test.each(["/refused", "/throws", "/leaves", "/cuts"])("the end of a socket that comes to %s", async (path) => {
  const [node, inMemory] = await both((Socket, base) => eventsOf(new Socket(base + path)).closed);
  expect(inMemory).toEqual(node);
});

test.each([[[]], ["chosen"], [["other", "chosen"]], [["other"]]])("subprotocols %o", async (protocols) => {
  const [node, inMemory] = await both(async (Socket, base) => {
    const socket = new Socket(base, protocols);
    const { closed } = eventsOf(socket);
    socket.addEventListener("open", () => socket.close());
    return closed;
  });
  expect(inMemory).toEqual(node);
});

test("what `open` sends, an echo, and a close of either side", async () => {
  const [node, inMemory] = await both(async (Socket, base) => {
    const logs: unknown[] = [];
    for (const end of ["close", "client", "plain", "reason", "cut"]) {
      const socket = new Socket(`${base}/greets`);
      const { closed } = eventsOf(socket);
      let got = 0;
      socket.onmessage = ({ data }) => {
        if (++got === 2) socket.send("two");
        if (data !== "second") return;
        if (end === "client") socket.close(3000, "enough \u00e4");
        else if (end === "plain") socket.close();
        else if (end === "reason") socket.close(undefined, "why");
        else socket.send(end);
        // Closing, nothing is sent and nothing is thrown.
        if (end === "client") socket.send("too late");
      };
      logs.push(await closed);
    }
    return logs;
  });
  expect(inMemory).toEqual(node);
});

test("bytes as a Blob or an ArrayBuffer, and a Blob that is sent", async () => {
  const [node, inMemory] = await both(async (Socket, base) => {
    const socket = new Socket(base);
    const arrived: unknown[] = [];
    socket.onmessage = ({ data }) => arrived.push(data);
    const next = async (): Promise<unknown> => {
      await expect.poll(() => arrived.length).toBeGreaterThan(0);
      return arrived.shift();
    };
    await opened(socket);
    const seen: unknown[] = [];
    socket.send(new Uint8Array([1, 2]).subarray(1));
    const blob = (await next()) as Blob;
    seen.push(blob instanceof Blob, [...new Uint8Array(await blob.arrayBuffer())]);
    socket.binaryType = "arraybuffer";
    socket.send(new Uint16Array([0x0201]).buffer);
    const buffer = (await next()) as ArrayBuffer;
    seen.push(buffer instanceof ArrayBuffer, [...new Uint8Array(buffer)]);
    socket.send(new Blob(["blob"]));
    socket.send("after it");
    seen.push([...new Uint8Array((await next()) as ArrayBuffer)], await next());
    socket.close();
    return seen;
  });
  expect(inMemory).toEqual(node);
});

test("listeners: once, signal, handleEvent, one function once, on… properties", async () => {
  const [node, inMemory] = await both(async (Socket, base) => {
    const socket = new Socket(base);
    const log: string[] = [];
    const stop = new AbortController();
    const same = (): unknown => log.push("same");
    socket.addEventListener("message", same);
    socket.addEventListener("message", same);
    socket.addEventListener("message", () => log.push("once"), { once: true });
    socket.addEventListener("message", () => log.push("signal"), { signal: stop.signal });
    socket.addEventListener("message", { handleEvent: () => log.push("object") });
    socket.onmessage = () => log.push("replaced");
    socket.onmessage = () => log.push("property");
    log.push(String(socket.onopen));
    await opened(socket);
    const echo = (text: string): Promise<unknown> =>
      new Promise((resolve) => {
        socket.addEventListener("message", resolve, { once: true });
        socket.send(text);
      });
    await echo("1");
    stop.abort();
    socket.removeEventListener("message", same);
    await echo("2");
    socket.onmessage = null;
    await echo("3");
    socket.close();
    return log;
  });
  expect(inMemory).toEqual(node);
});

test("errors: an address, subprotocols, a close, a send while connecting", async () => {
  const [node, inMemory] = await both(async (Socket, base) => {
    const names: unknown[] = [];
    const attempt = (run: () => unknown): void => {
      try {
        run();
        names.push("fine");
      } catch (error) {
        names.push([error instanceof DOMException, (error as Error).name]);
      }
    };
    for (const url of ["nowhere:", "http://[", `${base}/#part`]) attempt(() => new Socket(url));
    for (const protocols of ["", "a b", ["a", "a"], ["a", ""]]) attempt(() => new Socket(base, protocols));
    const socket = new Socket(base);
    for (const code of [1001, 999, 5000, Number.NaN]) attempt(() => socket.close(code));
    attempt(() => socket.close(1000, "ü".repeat(62)));
    attempt(() => socket.send("too early"));
    await opened(socket);
    for (const text of [1, null, { toString: () => "object" }]) attempt(() => socket.send(text as never));
    socket.close(1000, "x".repeat(123));
    return names;
  });
  expect(inMemory).toEqual(node);
});

test("closed while it connects: an error, and 1006", async () => {
  const [node, inMemory] = await both(async (Socket, base) => {
    const socket = new Socket(base);
    const { closed } = eventsOf(socket);
    socket.close();
    const state = socket.readyState;
    return [state, await closed];
  });
  expect(inMemory).toEqual(node);
});

test("it opens in a later task: who awaits something first still hears it", async () => {
  const [node, inMemory] = await both(async (Socket, base) => {
    const socket = new Socket(`${base}/`);
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    const { readyState } = socket;
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    socket.close();
    return readyState;
  });
  expect([node, inMemory]).toEqual([0, 0]);
});
