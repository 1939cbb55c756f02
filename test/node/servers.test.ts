/** The servers that `attach` takes, its errors for anything else, and its error on Bun. */
import { execFileSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createSecureServer, createServer as createHttp2Server } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { defineHandler } from "edgewire";
import { attach } from "edgewire/node";
import { commandFor, start, type Runtime } from "../docs/run.ts";
import { ask, atEnd, endAll, takes } from "./beside.ts";

afterEach(endAll);

const echo = defineHandler({ message: (connection, data) => void connection.send(data) });
const file = (name: string): string => new URL(name, import.meta.url).pathname;
const pem = (name: string): string => readFileSync(file(`../tls/${name}.pem`), "utf8");
const tls = { cert: pem("cert"), key: pem("key") };

test.each<[string, () => Server, boolean]>([
  ["http", () => createServer(), false],
  ["https", () => createHttpsServer(tls), true],
  // What Vite makes with a certificate.
  ["http2 with allowHTTP1", () => createSecureServer({ ...tls, allowHTTP1: true }) as unknown as Server, true],
])("%s, alone and beside another listener", async (_, make, secure) => {
  const server = make();
  server.listen(0, "127.0.0.1");
  atEnd(() => void server.close());
  await new Promise((resolve) => server.on("listening", resolve));
  const { port } = server.address() as { port: number };
  attach(server, echo, { path: "/ours" });
  for (let round = 0; round < 2; round++) {
    const client = await ask(port, "/ours", [], secure);
    expect((await client.head()).status).toBe(101);
    client.send("hello");
    expect(await client.next()).toEqual({ type: "text", data: "hello" });
    client.close();
    expect((await client.next()).type).toBe("close");
    server.on("upgrade", takes("/theirs"));
  }
});

/** As Express's: a function with an emitter's methods. */
const express = Object.assign(() => {}, { on() {}, off() {}, prependListener() {}, listenerCount: () => 0, handle() {}, listen() {} });

test.each<[string, unknown, RegExp]>([
  ["null", null, /not null \(Vite's httpServer is null in middleware mode/],
  ["undefined", undefined, /not undefined/],
  ["a port", 3000, /not a number \[EW616\]$/],
  ["an http2 server", createHttp2Server(), /not an http2 server without allowHTTP1: WebSockets need HTTP\/1\.1 \[EW616\]$/],
  ["a secure http2 server", createSecureServer(tls), /not an http2 server without allowHTTP1/],
  ["a TCP server", createTcpServer(), /not a server of node:net or node:tls, which does not speak HTTP \[EW616\]$/],
  ["an Express application", express, /not an application: give it the server that its listen\(\) returns, or http\.createServer\(app\)/],
  [
    "a Koa application",
    Object.assign(new EventEmitter(), { listen() {}, callback() {} }),
    /not an application: give it the server that its listen/,
  ],
  ["a Fastify application", { server: createServer(), listen() {}, on() {} }, /not an application: give it its `server`/],
  [
    "a WebSocketServer",
    new WebSocketServer({ noServer: true }),
    /not a WebSocketServer of ws: give it the HTTP server under that \[EW616\]$/,
  ],
  ["an object with `on` only", { on() {} }, /not an object that only has listeners \[EW616\]$/],
  ["an emitter", new EventEmitter(), /not an object that only has listeners \[EW616\]$/],
  ["an object", {}, /not an object without an upgrade event \[EW616\]$/],
  ["a function", () => {}, /not a function without an upgrade event \[EW616\]$/],
])("%s is refused by name", (_, server, message) => {
  const attached = (): unknown => attach(server as Server, echo);
  expect(attached).toThrow(TypeError);
  expect(attached).toThrow(/^attach takes an http\.Server or https\.Server first, not /);
  expect(attached).toThrow(message);
});

test("options of the wrong form are refused by name", () => {
  const server = createServer();
  for (const [options, message] of [
    [{ path: 1 }, 'attach: option "path" must be a string [EW645]'],
    [{ path: "ws" }, 'attach: option "path" is "ws", which does not begin with a slash'],
    [{ pfad: "/" }, 'attach: unknown option "pfad"'],
    [{ fetch: () => new Response() }, "attach takes a handler or { fetch }, not both [EW611]"],
  ] as const) {
    expect(() => attach(server, echo, options as object)).toThrow(message);
  }
  // Nothing is left half attached.
  expect(server.listenerCount("upgrade")).toBe(0);
});

test.each<Runtime>(["node", "deno"])("%s: beside another listener of a server of node:http, each takes its own", async (runtime) => {
  await using running = await start(runtime, file("attached.ts"));
  const client = await ask(running.port, "/ours/lobby");
  expect((await client.head()).status).toBe(101);
  expect(await client.next()).toEqual({ type: "text", data: "lobby" });
  client.send("hello");
  expect(await client.next()).toEqual({ type: "text", data: "hello" });
  client.send(Buffer.from([1, 2, 3]));
  expect(await client.next()).toEqual({ type: "binary", data: Buffer.from([1, 2, 3]) });
  client.close(4000, "done");
  expect(await client.next()).toMatchObject({ type: "close", code: 4000 });
  const theirs = await ask(running.port, "/theirs");
  expect((await theirs.head()).status).toBe(101);
  expect(await theirs.next()).toEqual({ type: "text", data: "theirs" });
  const nobodys = await ask(running.port, "/nobodys");
  expect((await nobodys.head()).status).toBe(404);
  expect(await (await fetch(`http://127.0.0.1:${running.port}/`)).text()).toBe("a page");
});

test.each(["attach", "serve"])('Bun: %s of "edgewire/node" says what to use', (name) => {
  const [command, ...args] = commandFor("bun", file("bun.ts"));
  const message = execFileSync(command, [...args, name], { encoding: "utf8" }).trim();
  expect(message).toMatch(new RegExp(`^Error: ${name} of "edgewire/node" does not work on Bun: use serve of "edgewire/serve"`));
});
