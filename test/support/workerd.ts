/** Bundles a Worker's source into a script for Miniflare. */
import { build } from "esbuild";

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
    define: { "process.env.NODE_ENV": JSON.stringify("production"), ...define },
  });
  return outputFiles[0]?.text ?? "";
}
