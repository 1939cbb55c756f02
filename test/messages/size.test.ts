/** What messages add to a bundle: minified, gzipped, without anybody's schema library. */
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { root } from "../docs/pages.ts";

const options = { bundle: true, minify: true, write: false, format: "esm", target: "es2024", metafile: true } as const;

async function size(names: string, file: string, conditions: string[]): Promise<number> {
  const stdin = { contents: `export { ${names} } from "edgewire/messages";`, resolveDir: root };
  // The log, and what bounds it, is in every server's bundle.
  const external = ["../handler/report.js"];
  const { outputFiles, metafile } = await build({ ...options, stdin, conditions, external });
  expect(Object.keys(metafile.inputs)).toContain(`dist/src/messages/${file}.js`);
  return gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
}

test("the definition, the client's part and the server's part take at most 2 KiB each", async () => {
  const definition = await size("defineMessages", "define", []);
  const client = (await size("defineMessages, messageClient", "client", [])) - definition;
  const server = (await size("defineMessages, messageHandler", "handler", ["workerd"])) - definition;
  console.log(`messages, gzipped: definition ${definition}, client ${client} more, server ${server} more`);
  expect(Math.max(definition, client, server)).toBeLessThanOrEqual(2048);
});

test("the core has none of it", async () => {
  const stdin = { contents: 'export { defineHandler } from "edgewire";', resolveDir: root };
  const { metafile } = await build({ stdin, bundle: true, write: false, format: "esm", metafile: true });
  expect(Object.keys(metafile.inputs).filter((name) => name.includes("messages/"))).toEqual([]);
});
