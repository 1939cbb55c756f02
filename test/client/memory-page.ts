/** The same conversations over Chromium's own WebSocket and over memory's, in the page: each sees the same events. */
import { defineHandler } from "edgewire";
import { memory } from "edgewire/memory";

export function makeHandler() {
  return defineHandler({
    origins: "*",
    protocols: ["chosen"],
    upgrade(request) {
      const { pathname } = new URL(request.url);
      return pathname === "/refused" ? new Response("no", { status: 403 }) : { room: pathname };
    },
    open(connection) {
      const { name } = connection.room;
      if (name === "/leaves") connection.close(4001, "at once");
      if (name === "/cuts") connection.terminate();
      if (name === "/greets") for (const data of ["one", new Uint8Array([1])]) connection.send(data);
    },
    message(connection, data) {
      if (data === "close") connection.close(4002, "as you say");
      else if (data === "cut") connection.terminate();
      else connection.send(data);
    },
  });
}

type Case = readonly [path: string, protocols?: string | string[], says?: string, binaryType?: BinaryType];

const cases: readonly Case[] = [
  ["/refused"],
  ["/leaves"],
  ["/cuts"],
  ["/greets", [], "plain"],
  ["/greets", "chosen", "close"],
  ["/greets", ["other", "chosen"], "reason", "arraybuffer"],
  ["/echo", "other"],
  ["/echo", [], "cut"],
  ["/echo", [], "early"],
  ["/echo", [], "code"],
  ["/echo#part"],
  ["/echo", ["a", "a"]],
  ["/echo", "a b"],
];

function run(Socket: typeof WebSocket, base: string, [path, protocols, says, binaryType]: Case): Promise<unknown[]> {
  const { promise, resolve } = Promise.withResolvers<unknown[]>();
  const log: unknown[] = [];
  try {
    const socket = new Socket(base + path, protocols);
    if (binaryType !== undefined) socket.binaryType = binaryType;
    log.push(socket.readyState, socket.binaryType, socket.protocol, socket.bufferedAmount, Socket.CLOSING);
    socket.onopen = () => {
      log.push("open", socket.readyState, socket.protocol);
      if (says === "plain") socket.close();
      else if (says === "reason") {
        socket.close(3001, "enough \u00e4");
        log.push(socket.readyState);
        socket.send("too late");
      } else if (says !== undefined) socket.send(says);
    };
    socket.onmessage = ({ data }) => {
      log.push(typeof data === "string" ? data : data.constructor.name);
      if (data !== "code") return;
      try {
        socket.close(1001);
      } catch (error) {
        log.push((error as Error).name);
      }
      socket.close();
    };
    socket.onerror = ({ target }) => log.push("error", socket.readyState, target === socket);
    socket.onclose = ({ code, reason, wasClean }) => {
      log.push("close", socket.readyState, code, reason, wasClean);
      resolve(log);
    };
    if (says === "early") socket.close();
  } catch (error) {
    resolve([(error as Error).name, error instanceof DOMException]);
  }
  return promise;
}

/** For each case, what the page's own and what memory's has seen. */
async function compare(base: string): Promise<readonly unknown[]> {
  const Socket = memory(makeHandler()).WebSocket as unknown as typeof WebSocket;
  return Promise.all(cases.map(async (one) => [one, await run(WebSocket, base, one), await run(Socket, "ws://localhost", one)]));
}

Object.assign(globalThis, { compare });
