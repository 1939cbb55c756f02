/** The example of docs/guide/client.md, on each runtime. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { defineHandler } from "edgewire";
import { serve } from "edgewire/node";
import { expect, test } from "vitest";
import { readPage, writePage } from "../docs/pages.ts";
import { commandFor } from "../docs/run.ts";

const page = readPage("docs/guide/client.md");

test.for(["node", "bun", "deno"] as const)("%s", async (runtime, { onTestFinished }) => {
  const server = await serve(defineHandler({ message: (connection, data) => void connection.send(`heard: ${String(data)}`) }), {
    hostname: "127.0.0.1",
  });
  writePage({ ...page, folder: `${page.folder}-${runtime}` });
  const file = join(`${page.folder}-${runtime}`, "client.ts");
  const code = page.blocks.find(({ attributes }) => attributes.get("file") === "client.ts")!.code;
  writeFileSync(file, code.replace("localhost:3000", `127.0.0.1:${server.port}`));
  const [command, ...args] = commandFor(runtime, file);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const printed: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    printed.push(line.trim());
    if (line.startsWith("heard")) break;
  }
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
  await server.close();
  expect(printed).toEqual(["queued", "open", "heard: Hello from Ada"]);
});
