/** The budgets of .size-limit.js: whoever grows a bundle raises its budget in the same commit. */
import { join } from "node:path";
import { buildSync } from "esbuild";
import { expect, test } from "vitest";
import { sizes } from "../../bench/measure/size.ts";

const all = sizes();

test("every entry point that a bundle may have has a budget", () => {
  const names = [
    "",
    "/node",
    "/bun",
    "/deno",
    "/workers",
    "/durable",
    "/hono",
    "/memory",
    "/cluster",
    "/sqlite",
    "/redis, with the cluster",
    "/client",
    "/delivery",
    "/delivery/client, with the client",
    "/messages",
    "/messages, of a page",
    "/react, with the client and messages",
  ];
  const parts = ["the core, for a connection alone", "what rooms add to it"];
  expect(all.map(({ name }) => name)).toEqual([...parts, ...names.map((name) => `edgewire${name}`)]);
});

test.each(all)("$name stays within it", ({ size, sizeLimit, passed }) => {
  expect(size).toBeLessThanOrEqual(sizeLimit);
  expect(passed).toBe(true);
});

test.each(["node", "bun", "deno", "durable", "memory", "hono"])("edgewire/%s has nothing of rooms that span servers", (name) => {
  const { metafile } = buildSync({
    absWorkingDir: join(import.meta.dirname, "../.."),
    entryPoints: [`dist/adapters/${name}/index.js`],
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "neutral",
    external: ["node:*", "cloudflare:*", "ws", "hono", "hono/*", "@hono/node-server", "#bare"],
  });
  expect(Object.keys(metafile.inputs).filter((file) => file.includes("src/cluster/"))).toEqual([]);
});

test("a budget is no more than a kilobyte above what is there, so that growth shows", () => {
  expect(all.filter(({ size, sizeLimit }) => sizeLimit - size > 1000)).toEqual([]);
});
