/** A Worker's script for Miniflare, from its source. */
import { build } from "esbuild";

/** `define` as esbuild's. */
export async function bundleWorker(file: string, define: Record<string, string> = {}): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd"],
    external: ["cloudflare:*"],
    define,
  });
  return outputFiles[0]?.text ?? "";
}
