/** What the hooks add to a page that has the client and messages, minified and gzipped, without React: at most 1.5 KiB. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { root } from "../docs/pages.ts";

const theirs =
  'export { ReconnectingWebSocket } from "edgewire/client"; export { defineMessages, messageClient, MessageError } from "edgewire/messages";';

async function load(contents: string): Promise<{ readonly size: number; readonly inputs: readonly string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2024",
    metafile: true,
    external: ["react"],
  });
  const [output] = Object.values(metafile.outputs);
  return { size: gzipSync(outputFiles[0]!.contents, { level: 9 }).length, inputs: Object.keys(output!.inputs) };
}

test("all hooks together add at most 1536 bytes, and nothing of the server's", async () => {
  const before = await load(theirs);
  const { size, inputs } = await load(`${theirs} export * from "edgewire/react";`);
  console.log(`edgewire/react, gzipped: ${size - before.size} bytes`);
  expect(inputs.length).toBeGreaterThan(before.inputs.length);
  expect(size - before.size).toBeLessThanOrEqual(1536);
  expect(inputs.filter((input) => !before.inputs.includes(input) && !/^(<stdin>|dist\/adapters\/react\/[a-z]+\.js)$/.test(input))).toEqual(
    [],
  );
});

test("who uses one hook loads that one", async () => {
  const { inputs } = await load('export { useSocket } from "edgewire/react";');
  expect(inputs.filter((input) => /messages\/client|react\/(call|request|stream)/.test(input))).toEqual([]);
});

test("server components may import it: its entry is marked as the client's", () => {
  expect(readFileSync(fileURLToPath(import.meta.resolve("edgewire/react")), "utf8")).toMatch(/^"use client";\n/);
});
