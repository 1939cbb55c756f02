/** docs/frameworks/express.md: the session of Express is the connection's. */
import { once } from "node:events";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { start, type Server } from "../docs/run.ts";
import { freePorts } from "../deploy/processes.ts";
import { writeFramework } from "./page.ts";

const file = writeFramework("express");
let server: Server;
beforeAll(async () => {
  server = await start("node", file("express.ts"), (await freePorts(1))[0]);
  return () => server[Symbol.asyncDispose]();
});

const post = (path: string, headers: Record<string, string>, body?: object): Promise<Response> =>
  fetch(`http://127.0.0.1:${server.port}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body ?? {}),
  });

async function login(user: string): Promise<string> {
  const response = await post("/login", {}, { user });
  expect(response.status).toBe(204);
  return response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
}

function join(headers: Record<string, string>, path = "/chat/lobby"): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, { headers });
  // Also when it is refused.
  socket.on("error", () => {});
  onTestFinished(() => socket.terminate());
  return socket;
}

async function statusOf(socket: WebSocket): Promise<number | undefined> {
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode?: number }];
  return response.statusCode;
}

test("who has logged in may join, by name, until the logout, in all tabs", async () => {
  const [ada, grace] = [await login("Ada"), await login("Grace")];
  const sockets = [join({ cookie: ada }), join({ cookie: ada }, "/chat/other"), join({ cookie: grace })] as const;
  await Promise.all(sockets.map((socket) => once(socket, "open")));
  const heard = once(sockets[2], "message");
  sockets[0].send("hello");
  expect(String((await heard)[0])).toBe("Ada: hello");
  const closed = Promise.all(sockets.slice(0, 2).map((socket) => once(socket, "close")));
  expect((await post("/logout", { cookie: ada })).status).toBe(204);
  expect((await closed).map(([code, reason]) => [code, String(reason)])).toEqual([
    [4001, "Logged out"],
    [4001, "Logged out"],
  ]);
  expect(await statusOf(join({ cookie: ada }))).toBe(401);
  expect(sockets[2].readyState).toBe(WebSocket.OPEN);
});

test("no session, a forged one, another site's page, another path", async () => {
  const cookie = await login("Ada");
  expect(await statusOf(join({}))).toBe(401);
  expect(await statusOf(join({ cookie: cookie.replace(/.$/, (last) => (last === "a" ? "b" : "a")) }))).toBe(401);
  expect(await statusOf(join({ cookie, origin: "https://elsewhere.example" }))).toBe(403);
  expect(await statusOf(join({ cookie }, "/other"))).toBe(404);
});
