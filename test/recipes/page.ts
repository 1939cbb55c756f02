/** A recipe's page as files that run, with what test/recipes/package.json has. */
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { readPage, writePage } from "../docs/pages.ts";

/** The pages of docs/recipes that need those. */
export const recipes = ["chat", "cursors", "mqtt", "notifications", "streams", "trpc", "yjs"] as const;

export const libraries: string = join(import.meta.dirname, "node_modules");

/** Returns the path of one of the page's files. */
export function writeRecipe(name: (typeof recipes)[number]): (file: string) => string {
  const page = readPage(`docs/recipes/${name}.md`);
  writePage(page);
  // Its files are in the package, so they import it by its name; what else they import is found here, or with the package's own.
  symlinkSync(libraries, join(page.folder, "node_modules"));
  return (file) => join(page.folder, file);
}
