/** docs/guide/delivery.md: its server and client on each runtime, and the cut in memory. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPage, writePage } from "./pages.ts";
import { commandFor, start } from "./run.ts";
import type { Runtime } from "./run.ts";

const page = readPage("docs/guide/delivery.md");

/** Runs a program until it has printed so many lines. */
async function printed(runtime: Runtime, file: string, lines: number, ...given: readonly string[]): Promise<readonly string[]> {
  const [command, ...args] = commandFor(runtime, file);
  const child = execFile(command, [...args, ...given]);
  let output = "";
  child.stdout?.on("data", (text) => (output += String(text)));
  try {
    await expect.poll(() => output.trim().split("\n").length, { timeout: 30_000 }).toBe(lines);
    return output.trim().split("\n");
  } finally {
    child.kill("SIGKILL");
  }
}

test.each<Runtime>(["node", "bun", "deno"])("what is sent is acknowledged, and comes: on %s", async (runtime) => {
  // A folder of its own: the pages' tests may be writing theirs.
  const own = { ...page, folder: `${page.folder}-${runtime}` };
  writePage(own);
  await using server = await start(runtime, join(own.folder, "delivery-server.ts"));
  const code = page.blocks.find(({ attributes }) => attributes.get("file") === "delivery-client.ts")?.code ?? "";
  const promised = Array.from(code.matchAll(/; \/\/ prints "(.*)"/g), ([, line = ""]) => line);
  const url = `ws://127.0.0.1:${server.port}/lobby`;
  expect(await printed(runtime, join(own.folder, "delivery-client.ts"), 2, url)).toEqual(promised);
});

test("a cut in memory", async () => {
  const own = { ...page, folder: `${page.folder}-cut` };
  writePage(own);
  expect(await printed("node", join(own.folder, "delivery-cut.ts"), 5)).toEqual([
    "one",
    "published meanwhile",
    "sent meanwhile",
    "acknowledged",
    "2 sockets, one connection",
  ]);
});
