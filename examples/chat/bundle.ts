/** Bundles the page's script into public/js/. */
import { join } from "node:path";
import { build } from "esbuild";

export async function bundle(outfile: string = join(import.meta.dirname, "public/js/client/main.js")): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, "client/main.ts")],
    outfile,
    bundle: true,
    format: "esm",
    target: "es2024",
    minify: true,
    logLevel: "warning",
  });
}

if (import.meta.main) await bundle();
