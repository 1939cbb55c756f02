/** Packages that an application did not install: the error says how. Where there is no node_modules but one with edgewire alone. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
let project: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "edgewire-missing-"));
  const packages = join(project, "node_modules");
  mkdirSync(join(packages, "edgewire"), { recursive: true });
  cpSync(join(root, "dist"), join(packages, "edgewire/dist"), {
    recursive: true,
    filter: (path) => !/dist\/(?:test|bench|examples)/.test(path),
  });
  cpSync(join(root, "package.json"), join(packages, "edgewire/package.json"));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

function run(script: string): string[] {
  writeFileSync(join(project, "main.mjs"), script);
  return execFileSync(process.execPath, ["main.mjs"], { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })
    .trim()
    .split("\n");
}

const prelude = `
  import { createServer } from "node:http";
  import { connect } from "node:net";
  import { defineHandler } from "edgewire";
  import { serve } from "edgewire/serve";
  import { attach } from "edgewire/node";
  const handler = defineHandler({});
  const failure = (promise) => promise.then(() => console.log("no error"), ({ code, message }) => console.log(code, message));`;

test("without ws", () => {
  const printed = run(`${prelude}
    await failure(serve(handler));
    console.error = (...args) => console.log(args.map(String).join(" "));
    const server = createServer();
    attach(server, handler);
    server.listen(0, "127.0.0.1", () => {
      const socket = connect(server.address().port, "127.0.0.1");
      socket.on("data", (data) => { console.log(String(data).split("\\r\\n")[0]); process.exit(); });
      socket.write("GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n");
    });`);
  expect(printed).toEqual([
    "ERR_MODULE_NOT_FOUND serve needs the package ws, which is not installed: npm install ws [EW620]",
    expect.stringMatching(/^edgewire: .* needs the package ws, which is not installed: npm install ws \[EW620\]$/),
    "HTTP/1.1 500 Internal Server Error",
  ]);
});

test("without @hono/node-server", () => {
  symlinkSync(join(root, "node_modules/ws"), join(project, "node_modules/ws"));
  const printed = run(`${prelude}
    await failure(serve(handler, { fetch: () => new Response() }));
    await failure(serve(handler).then((server) => server.close()));`);
  expect(printed).toEqual([
    "ERR_MODULE_NOT_FOUND serve with `fetch` needs the package @hono/node-server, which is not installed: npm install @hono/node-server [EW620]",
    "no error",
  ]);
});

test("CommonJS loads it all the same", () => {
  writeFileSync(join(project, "main.cjs"), `console.log(typeof require("edgewire/node").attach, typeof require("edgewire/serve").serve)`);
  expect(execFileSync(process.execPath, ["main.cjs"], { cwd: project, encoding: "utf8" })).toBe("function function\n");
});
