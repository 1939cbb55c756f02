/** Bundles a Worker's source into a script for Miniflare. */
import { builtinModules } from "node:module";
import { build } from "esbuild";
import type { Plugin } from "esbuild";

/** Bundles as `wrangler deploy` does. `define` is esbuild's option; without it esbuild defines NODE_ENV as "development". */
export async function bundleWorker(file: string, define: Record<string, string> = {}): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd"],
    external: ["cloudflare:*", "node:*"],
    plugins: [requireNode],
    define: { "process.env.NODE_ENV": JSON.stringify("production"), ...define },
  });
  return outputFiles[0]?.text ?? "";
}

/** CommonJS packages `require` Node's modules, which a Worker can only import. */
const requireNode: Plugin = {
  name: "require-node",
  setup(bundler) {
    const filter = new RegExp(`^(?:node:)?(?:${builtinModules.filter((name) => !name.startsWith("_")).join("|")})$`);
    bundler.onResolve({ filter }, ({ kind, path }) => {
      const name = path.replace("node:", "");
      return kind === "require-call" ? { namespace: "require-node", path: name } : { external: true, path: `node:${name}` };
    });
    bundler.onLoad({ filter: /.*/, namespace: "require-node" }, ({ path }) => ({
      contents: `import all from "node:${path}"; module.exports = all;`,
    }));
  },
};
