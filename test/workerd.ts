/** A Worker's script for Miniflare, from its source. */
import { build } from "esbuild";

export async function bundleWorker(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd"],
    external: ["cloudflare:*"],
  });
  return outputFiles[0]?.text ?? "";
}
