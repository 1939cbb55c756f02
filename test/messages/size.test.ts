/** What messages add to a bundle: minified, gzipped, without anybody's schema library. */
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { Plugin } from "esbuild";
import { expect, test } from "vitest";
import { root } from "../docs/pages.ts";

const options = { bundle: true, minify: true, write: false, format: "esm", target: "es2024", metafile: true } as const;

/** Leaves out the client's half of streams, which is a file of its own. */
const withoutStreams: Plugin = {
  name: "without streams",
  setup: ({ onLoad }) => void onLoad({ filter: /messages\/stream\.js$/ }, () => ({ contents: "export function openStream() {}" })),
};

async function size(names: string, file: string, conditions: string[], plugins: Plugin[] = []): Promise<number> {
  const stdin = { contents: `export { ${names} } from "edgewire/messages";`, resolveDir: root };
  // The log, and what bounds it, is in every server's bundle.
  const external = ["../handler/report.js"];
  const { outputFiles, metafile } = await build({ ...options, stdin, conditions, external, plugins });
  expect(Object.keys(metafile.inputs)).toContain(`dist/src/messages/${file}.js`);
  return gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
}

test("the definition takes at most 1.7 KiB, the client's part without streams 2.9 kB, streams 0.6 KiB, presence 0.9 KiB, and the server's part 2.8 KiB", async () => {
  const definition = await size("defineMessages", "define", []);
  const client = (await size("defineMessages, messageClient", "client", [], [withoutStreams])) - definition;
  const streams = (await size("defineMessages, messageClient", "stream", [])) - definition - client;
  const presence = (await size("defineMessages, messageClient, presence", "topics/presence", [])) - definition - client - streams;
  const server = (await size("defineMessages, messageHandler", "handler", ["workerd"])) - definition;
  console.log(
    `messages, gzipped: definition ${definition}, client ${client} more, with streams ${streams} more, with presence ${presence} more, server ${server} more`,
  );
  expect(definition).toBeLessThanOrEqual(1.7 * 1024);
  expect(client).toBeLessThanOrEqual(2900);
  expect(streams).toBeLessThanOrEqual(0.6 * 1024);
  expect(presence).toBeLessThanOrEqual(0.9 * 1024);
  expect(server).toBeLessThanOrEqual(2.8 * 1024);
});

test("the core has none of it", async () => {
  const stdin = { contents: 'export { defineHandler } from "edgewire";', resolveDir: root };
  const { metafile } = await build({ stdin, bundle: true, write: false, format: "esm", metafile: true });
  expect(Object.keys(metafile.inputs).filter((name) => name.includes("messages/"))).toEqual([]);
});
