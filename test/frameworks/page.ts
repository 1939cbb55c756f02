/** A page of docs/frameworks as files that run, with what its framework's package.json here has. */
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { readPage, writePage } from "../docs/pages.ts";

/** Returns the path of one of the page's files. @param name of the framework. @param use what the files are for, if another test writes them too. */
export function writeFramework(name: string, use = "run"): (file: string) => string {
  const page = readPage(`docs/frameworks/${name}.md`);
  const own = { ...page, folder: `${page.folder}-${use}` };
  writePage(own);
  symlinkSync(join(import.meta.dirname, name, "node_modules"), join(own.folder, "node_modules"));
  return (file) => join(own.folder, file);
}
