/** docs/frameworks/vite.md: a handler beside HMR's socket, over a restart, in the preview, and behind Vite's proxy. */
import { once } from "node:events";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { freePorts, run, type Running } from "../deploy/processes.ts";
import { readPage, root, writePage } from "../docs/pages.ts";

const page = readPage("docs/frameworks/vite.md");
const at = (file: string): string => join(page.folder, file);
const vite = join(root, "node_modules/vite/bin/vite.js");

beforeAll(() => {
  writePage(page);
  mkdirSync(at("node_modules"));
  // Vite does not know that a package may import itself by its name.
  symlinkSync(root, at("node_modules/edgewire"));
});

async function start(...args: string[]): Promise<{ server: Running; port: number }> {
  const [port] = await freePorts(1);
  const given = ["--host", "127.0.0.1", "--port", String(port), "--strictPort"];
  const server = run(process.execPath, [vite, ...args, ...given], { cwd: page.folder, env: { NO_COLOR: "1", CI: "1", NODE_ENV: "" } });
  onTestFinished(() => server[Symbol.asyncDispose]());
  await server.line(/Local:/);
  return { server, port: port! };
}

async function open(port: number, path: string, protocol?: string): Promise<WebSocket> {
  const headers = { origin: `http://127.0.0.1:${port}` };
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocol === undefined ? [] : [protocol], { headers });
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  return socket;
}

/** HMR's, as the page's own. */
async function hmr(port: number): Promise<string[]> {
  const client = await (await fetch(`http://127.0.0.1:${port}/@vite/client`)).text();
  const token = /wsToken = "([^"]+)"/.exec(client)?.[1];
  const told: string[] = [];
  const socket = await open(port, `/?token=${token}`, "vite-hmr");
  socket.on("message", (data) => told.push((JSON.parse(String(data)) as { type: string }).type));
  return told;
}

async function echo(port: number, expected = "hello"): Promise<WebSocket> {
  const socket = await open(port, "/chat/lobby");
  const heard = once(socket, "message");
  socket.send("hello");
  expect(String((await heard)[0])).toBe(expected);
  return socket;
}

test("HMR and the handler on one port; its change restarts the server", async () => {
  const { server, port } = await start("dev");
  const [told, socket] = [await hmr(port), await echo(port)];
  writeFileSync(at("index.html"), `${readFileSync(at("index.html"), "utf8")}<p>changed</p>\n`);
  await expect.poll(() => told, { timeout: 20_000 }).toContain("full-reload");
  await echo(port);
  expect(socket.readyState).toBe(WebSocket.OPEN);

  const closed = once(socket, "close");
  const code = readFileSync(at("chat.ts"), "utf8");
  writeFileSync(at("chat.ts"), code.replace('"chat", data)', '"chat", `changed: ${data}`)'));
  await server.line(/server restarted/);
  await closed;
  await echo(port, "changed: hello");
  await hmr(port);
  writeFileSync(at("chat.ts"), code);
});

test("in the preview of a build", async () => {
  const build = run(process.execPath, [vite, "build"], { cwd: page.folder, env: { NO_COLOR: "1", NODE_ENV: "" } });
  await build.line(/built in/);
  const { port } = await start("preview");
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain("/assets/");
  await echo(port);
});

test("behind Vite's proxy", async () => {
  const code = 'import { serve } from "edgewire/serve";\nimport { chat } from "./chat.ts";\nconsole.log((await serve(chat)).url);\n';
  writeFileSync(at("alone.ts"), code);
  await using alone = run(process.execPath, [at("alone.ts")]);
  const url = await alone.line(/^http:/);
  process.env["CHAT_PORT"] = new URL(url).port;
  const { port } = await start("dev", "--config", "vite.proxy.config.ts");
  await echo(port);
  await hmr(port);
  // Another Host than the page's Origin names.
  const wrong = readFileSync(at("vite.proxy.config.ts"), "utf8").replace("ws: true", "ws: true, changeOrigin: true");
  writeFileSync(at("wrong.config.ts"), wrong);
  await expect(echo((await start("dev", "--config", "wrong.config.ts")).port)).rejects.toThrow("403");
});
