/** A Worker's script for Miniflare, from its source. */
import { build } from "esbuild";

/** As `wrangler deploy` makes it. `define` as esbuild's, which by itself says that this is development. */
export async function bundleWorker(file: string, define: Record<string, string> = {}): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd"],
    external: ["cloudflare:*"],
    define: { "process.env.NODE_ENV": JSON.stringify("production"), ...define },
  });
  return outputFiles[0]?.text ?? "";
}
