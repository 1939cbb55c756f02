/** Runs what the pages on typed messages show. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { readPage, writePage } from "../docs/pages.ts";
import { commandFor, start } from "../docs/run.ts";
import type { Runtime } from "../docs/run.ts";

const others = ["streams", "messages-resume", "messagepack"].map((name) => `docs/guide/${name}.md`);
const page = readPage("docs/guide/messages.md", ...others);

test.each<Runtime>(["node", "bun", "deno"])("the chat of docs/guide/messages.md on %s", async (runtime) => {
  // A folder of its own: the pages' tests may be writing theirs.
  const own = { ...page, folder: `${page.folder}-${runtime}` };
  writePage(own);
  await using server = await start(runtime, join(own.folder, "chat-server.ts"));
  const [command, ...args] = commandFor(runtime, join(own.folder, "chat-client.ts"));
  const { stdout } = await promisify(execFile)(command, [...args, `ws://127.0.0.1:${server.port}/`], {
    env: { ...process.env, NO_COLOR: "1" },
  });
  const printed = stdout
    .trim()
    .split("\n")
    .map((line) => line.replaceAll(/\s+/g, ""));
  const promised = [
    ...(page.blocks.find(({ attributes }) => attributes.get("file") === "chat-client.ts")?.code ?? "").matchAll(/; \/\/ (.*)$/gm),
  ];
  expect(printed.map((line) => line.replaceAll('"', "'"))).toEqual(promised.map(([, line = ""]) => line.replaceAll(/\s+/g, "")));
});

test("a stream that is left in the middle", async () => {
  const own = { ...page, folder: `${page.folder}-streams` };
  writePage(own);
  await using server = await start("node", join(own.folder, "chat-server.ts"));
  const [command, ...args] = commandFor("node", join(own.folder, "ask.ts"));
  const { stdout } = await promisify(execFile)(command, [...args, `ws://127.0.0.1:${server.port}/`], { timeout: 30_000 });
  expect(stdout).toBe("to\nbe\nor\n");
});

test("what was missed, and who is there", async () => {
  const own = { ...page, folder: `${page.folder}-going-on` };
  writePage(own);
  const [command, ...args] = commandFor("node", join(own.folder, "going-on.ts"));
  const child = execFile(command, args);
  const promised = page.blocks.find(({ attributes }) => attributes.get("file") === "going-on.ts")?.code ?? "";
  const lines = Array.from(promised.matchAll(/; \/\/ prints "(.*)"/gm), ([, line = ""]) => line);
  let printed = "";
  child.stdout?.on("data", (text) => (printed += String(text)));
  await expect.poll(() => printed.trim().split("\n"), { timeout: 30_000 }).toEqual(lines);
  child.kill();
});

test("its definition with MessagePack", async () => {
  const own = { ...page, folder: `${page.folder}-packed` };
  writePage(own);
  const { messages } = (await import(join(own.folder, "packed.ts"))) as { messages: { protocols: string[] } };
  expect(messages.protocols).toEqual(["edgewire.msgpack.1", "edgewire.json.1"]);
});
