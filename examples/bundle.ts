/** `node bundle.ts <example>` bundles the script of the example's page into its public/js/. */
import { join } from "node:path";
import process from "node:process";
import { build } from "esbuild";

export async function bundle(example: string, folder: string = join(import.meta.dirname, example, "public/js")): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, example, "client/main.ts")],
    outdir: folder,
    bundle: true,
    format: "esm",
    target: "es2024",
    minify: true,
    logLevel: "warning",
  });
}

if (import.meta.main) await bundle(process.argv[2] ?? "chat");
