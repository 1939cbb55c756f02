/** Writes dist/browser/: what a page loads of the package, each as one ES module, for pages without a bundler. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";

const root = join(import.meta.dirname, "..");
const entries = { client: "src/client/index.ts", delivery: "src/delivery/client/index.ts", messages: "src/messages/browser.ts" };

/** What it writes, relative to the repository. */
export const bundled: readonly string[] = Object.keys(entries).flatMap((name) => [
  `dist/browser/${name}.js`,
  `dist/browser/${name}.js.map`,
]);

export function bundle(): void {
  const { version, license } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string; license: string };
  const copyright = /^Copyright .*$/m.exec(readFileSync(join(root, "LICENSE"), "utf8"))?.[0];
  for (const [name, entry] of Object.entries(entries)) {
    buildSync({
      absWorkingDir: root,
      entryPoints: [entry],
      outfile: `dist/browser/${name}.js`,
      banner: { js: `/*! edgewire/${name} ${version} | ${license} License | ${copyright} */` },
      bundle: true,
      format: "esm",
      minify: true,
      // It has the sources themselves: the two files are copied to wherever the page is.
      sourcemap: "linked",
      target: "es2022",
      logLevel: "warning",
    });
  }
}

if (import.meta.main) bundle();
