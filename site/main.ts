/**
 * `npm run docs:build [-- folder]` writes the site, by default to site/dist; `npm run docs [-- port]` serves it, and generates it again
 * when something has changed.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { generate } from "./generate/site.ts";
import { serve } from "./serve.ts";

const [command, argument] = process.argv.slice(2);
if (command === "build") await write(resolve(argument ?? join(import.meta.dirname, "dist")));
else if (command === "serve") console.log(`The site is at ${(await serve(Number(argument ?? process.env["PORT"] ?? 4000))).url}`);
else throw new Error("main.ts takes build or serve");

async function write(folder: string): Promise<void> {
  const files = await generate();
  rmSync(folder, { recursive: true, force: true });
  for (const [path, content] of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  console.log(`${files.size} files are in ${folder}`);
}
