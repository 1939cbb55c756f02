/** What Deno keeps of a request's headers: a request lives as long as its WebSocket. */
import { execFileSync } from "node:child_process";
import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { denoBinary, denoFlags } from "../support/runtimes.ts";

const dist = join(import.meta.dirname, "../../dist");

/** Answers a raw request with the headers as `read` has them, and with what is kept on the request's Headers afterwards. */
const script = (read: string): string => `
  import { headersOf } from "${dist}/adapters/deno/headers.js";
  import { ReadHead } from "${dist}/src/protocol/request.js";
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const head = new ReadHead(request, ${read});
    const kept = Object.getOwnPropertySymbols(request.headers).filter((key) => Array.isArray(request.headers[key]));
    return Response.json({ letters: head.headers.get("x-letters"), bytes: head.bytes - request.url.length, kept: kept.length });
  });
  const socket = await Deno.connect({ port: server.addr.port });
  await socket.write(new TextEncoder().encode("GET / HTTP/1.1\\r\\nHost: a\\r\\nX-Letters: a\\r\\nx-letters: b\\r\\nConnection: close\\r\\n\\r\\n"));
  const answer = await new Response(socket.readable).text();
  console.log(answer.slice(answer.indexOf("\\r\\n\\r\\n") + 4));
  await server.shutdown();`;

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "edgewire-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(name: string, read: string): unknown {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, script(read));
  return JSON.parse(execFileSync(denoBinary(), [...denoFlags, file], { cwd: folder, encoding: "utf8" }));
}

/** Host, x-letters twice and connection, each with colon, space and line's end. */
const bytes = "hosta".length + 2 * "x-lettersa".length + "connectionclose".length + 4 * 4;

test("all headers are read, and nothing stays on the request", () => {
  expect(run("kept", "headersOf(request)")).toEqual({ letters: "a, b", bytes, kept: 0 });
});

test("an iteration stays on it: the test sees what it should", () => {
  // Repeated headers are one by then.
  expect(run("iterated", "request.headers")).toMatchObject({ letters: "a, b", kept: 2 });
});

test("headers that can't be looked at through a proxy are iterated", () => {
  expect(run("private", "headersOf({ headers: new Map([['X-Letters', 'a, b']]) })")).toMatchObject({ letters: "a, b" });
});
