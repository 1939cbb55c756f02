/** Node, Bun and Deno share a room through Redis. */
import { spawnSync } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, inject, test } from "vitest";
import { bunBinary } from "../support/runtimes.ts";
import { RedisServer } from "./redis-server.ts";
import { run } from "./servers.ts";

const path = inject("redis");
const here = import.meta.dirname;
const file = (name: string): string => join(here, "served", `${name}.ts`);

const runtimes = ["node", "bun", "deno"] as const;

/** Its next line. @throws Error, as a rejection, if it ends before. */
function nextLine(child: ChildProcessWithoutNullStreams, lines: AsyncIterator<string>, errors: string[]): Promise<string> {
  return lines.next().then(({ value, done }) => {
    if (done === true) throw new Error(`it has ended with ${child.exitCode}: ${errors.join("")}`);
    return value;
  });
}

test.skipIf(path === "")("Node, Bun and Deno hear each other, and end by themselves", async () => {
  const server = await RedisServer.start(path);
  const nodes = runtimes.map((runtime) => {
    const child = run(runtime, "node", server.url, runtime, "3");
    const errors: string[] = [];
    child.stderr.on("data", (data) => void errors.push(String(data)));
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    return { child, exited: once(child, "exit"), next: () => nextLine(child, lines, errors) };
  });
  try {
    for (const { next } of nodes) expect(await next()).toBe("joined");
    for (const { child } of nodes) child.stdin.end("go\n");
    const heard = await Promise.all(nodes.map(async ({ next }) => JSON.parse(await next()) as string[]));
    expect(heard[1]).toEqual(heard[0]);
    expect(heard[2]).toEqual(heard[0]);
    expect(heard[0]!.toSorted()).toEqual(["0,255,128,3", "0,255,128,4", "0,255,128,4", "bun ü😀\0", "deno ü😀\0", "node ü😀\0"]);
    for (const { exited } of nodes) expect(await exited).toEqual([0, null]);
  } finally {
    for (const { child } of nodes) child.kill("SIGKILL");
    await server.stop();
  }
});

test("Bun's own client is refused by name", () => {
  const { stdout, stderr } = spawnSync(bunBinary, [file("bun-client")], { encoding: "utf8", timeout: 30_000 });
  const reason = "which damages binary messages and has no sharded channels: use ioredis";
  expect(stdout.trim(), stderr).toBe(`redis: option "client" is Bun's RedisClient, ${reason} [EW424]`);
});

test("an address without ioredis says what to install", () => {
  const folder = mkdtempSync(join(tmpdir(), "edgewire-alone-"));
  try {
    cpSync(join(here, "../../dist"), join(folder, "dist"), { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    const program = `import { redis } from "./dist/adapters/redis/index.js"; try { redis("redis://127.0.0.1:1") } catch ({ message }) { console.log(message) }`;
    writeFileSync(join(folder, "program.js"), program);
    const { stdout, stderr } = spawnSync(process.execPath, ["program.js"], { cwd: folder, encoding: "utf8", timeout: 30_000 });
    expect(stdout.trim(), stderr).toBe("redis(url) needs ioredis: npm install ioredis [EW425]");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
