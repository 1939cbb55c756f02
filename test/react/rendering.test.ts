/** On a server the hooks open nothing: a process that has no WebSocket, and that ends by itself. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";

const here = import.meta.dirname;

test.each([18, 19])("React %i", async (version) => {
  const modules = version === 18 ? join(here, "react-18/node_modules") : join(here, "../../node_modules");
  const outfile = join(here, `../../.tmp/react/rendering-${version}.cjs`);
  await build({
    entryPoints: [join(here, "rendering.ts")],
    bundle: true,
    platform: "node",
    outfile,
    alias: { react: join(modules, "react"), "react-dom": join(modules, "react-dom") },
  });
  const { status, stdout, stderr } = spawnSync(process.execPath, [outfile], { encoding: "utf8", timeout: 20_000 });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(JSON.parse(stdout)).toEqual({
    react: expect.stringMatching(new RegExp(`^${version}\\.`)) as string,
    html: "<p>connecting,no socket,no client,nothing pending,nobody</p>",
    constructed: 0,
    resources: [],
  });
});
