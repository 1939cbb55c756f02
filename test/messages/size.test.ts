/** What messages add to a bundle: minified, gzipped, without anybody's schema library. */
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { Plugin } from "esbuild";
import { expect, test } from "vitest";
import { root } from "../docs/pages.ts";

const options = { bundle: true, minify: true, write: false, format: "esm", target: "es2024", metafile: true } as const;

/** Leaves out a part of the client that is a file of its own. */
function without(file: string, name: string): Plugin {
  const contents = `export function ${name}() {}`;
  return {
    name: `without ${file}`,
    setup: ({ onLoad }) => void onLoad({ filter: new RegExp(`messages/${file}\\.js$`) }, () => ({ contents })),
  };
}
const streams = without("stream", "openStream");
const answers = without("answers", "makeAnswers");

async function size(names: string, file: string, conditions: string[], plugins: Plugin[] = []): Promise<number> {
  const stdin = { contents: `export { ${names} } from "edgewire/messages";`, resolveDir: root };
  // The log, and what bounds it, is in every server's bundle.
  const external = ["../handler/report.js"];
  const { outputFiles, metafile } = await build({ ...options, stdin, conditions, external, plugins });
  expect(Object.keys(metafile.inputs)).toContain(`dist/src/messages/${file}.js`);
  return gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
}

test("the definition takes at most 1.87 kB, the client's part 3.1 kB, its streams 0.6, its answers 0.41 and presence 0.95 kB more, the server's part 4.1 kB", async () => {
  const definition = await size("defineMessages", "define", []);
  const clientWithout = async (...parts: Plugin[]): Promise<number> =>
    (await size("defineMessages, messageClient", "client", [], parts)) - definition;
  const client = await clientWithout(streams, answers);
  const answering = (await clientWithout(streams)) - client;
  const streaming = (await clientWithout()) - client - answering;
  const presence =
    (await size("defineMessages, messageClient, presence", "topics/presence", [])) - definition - client - answering - streaming;
  const server = (await size("defineMessages, messageHandler", "handler", ["workerd"])) - definition;
  console.log(
    `messages, gzipped: definition ${definition}, client ${client} more, its answers ${answering}, its streams ${streaming}, presence ${presence}, server ${server} more`,
  );
  expect(definition).toBeLessThanOrEqual(1870);
  expect(client).toBeLessThanOrEqual(3100);
  expect(answering).toBeLessThanOrEqual(410);
  expect(streaming).toBeLessThanOrEqual(600);
  expect(presence).toBeLessThanOrEqual(950);
  expect(server).toBeLessThanOrEqual(4100);
});

test("the core has none of it", async () => {
  const stdin = { contents: 'export { defineHandler } from "edgewire";', resolveDir: root };
  const { metafile } = await build({ stdin, bundle: true, write: false, format: "esm", metafile: true });
  expect(Object.keys(metafile.inputs).filter((name) => name.includes("messages/"))).toEqual([]);
});
