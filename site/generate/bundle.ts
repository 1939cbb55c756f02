/** The site's scripts and styles, minified, and the worker of the playground with Edgewire in it. */
import { basename, join } from "node:path";
import { build } from "esbuild";
import type { Format } from "esbuild";

const site = join(import.meta.dirname, "..");

const scripts = { site: "client/page/index.ts", playground: "client/playground/index.ts" };
// A frame without an origin starts no worker that is a module.
const workers = { worker: "client/playground/worker/index.ts" };
const styles = { site: "style/site.css", playground: "style/playground.css" };

/** The files by their path on the site. */
export async function bundle(): Promise<ReadonlyMap<string, Uint8Array>> {
  const built = await Promise.all([bundled(scripts, "esm"), bundled(workers, "iife"), bundled(styles, "esm")]);
  return new Map(built.flat());
}

async function bundled(entryPoints: Record<string, string>, format: Format): Promise<readonly (readonly [string, Uint8Array])[]> {
  const { outputFiles } = await build({
    absWorkingDir: site,
    entryPoints,
    bundle: true,
    format,
    target: "es2022",
    minify: true,
    write: false,
    outdir: ".",
    logLevel: "warning",
    legalComments: "none",
  });
  return outputFiles.map(({ path, contents }) => [basename(path), contents] as const);
}
