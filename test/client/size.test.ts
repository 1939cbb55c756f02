/** What a page loads for the client: at most 3.85 KiB, minified and gzipped. */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

async function load(contents: string): Promise<{ code: string; inputs: string[] }> {
  const bundle = { bundle: true, minify: true, format: "esm", target: "es2024", write: false, metafile: true } as const;
  const { outputFiles, metafile } = await build({ stdin: { contents, resolveDir: root }, ...bundle });
  return { code: outputFiles[0]!.text, inputs: Object.keys(metafile.inputs) };
}

test("at most 3942 bytes", async () => {
  const { code } = await load('export { ReconnectingWebSocket } from "edgewire/client";');
  expect(code).toContain("ReconnectingWebSocket");
  expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(3942);
});

test("it depends on nothing but Edgewire's own files", async () => {
  const { inputs } = await load('export * from "edgewire/client";');
  expect(inputs.filter((input) => !/^(<stdin>|dist\/src\/(client|protocol|values)\/[a-z-]+\.js)$/.test(input))).toEqual([]);
});
