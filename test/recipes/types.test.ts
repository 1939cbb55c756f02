/** The code of the recipes is right for the compiler, and so are their tests. */
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPage, writePage } from "../docs/pages.ts";
import { errorsOf } from "../types/copy.ts";
import { libraries, recipes } from "./page.ts";

const compilerOptions = {
  target: "es2024",
  module: "nodenext",
  lib: ["es2024", "dom"],
  types: ["node"],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  allowImportingTsExtensions: true,
  noEmit: true,
  skipLibCheck: true,
};

test.each(recipes)("%s", (name) => {
  const page = readPage(`docs/recipes/${name}.md`);
  const own = { ...page, folder: `${page.folder}-types` };
  writePage(own);
  symlinkSync(libraries, join(own.folder, "node_modules"));
  const files = page.blocks.map(({ attributes }) => attributes.get("file")).filter((file) => /\.tsx?$/.test(file ?? ""));
  writeFileSync(join(own.folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  expect(errorsOf(own.folder, "-p", ".")).toEqual([]);
});

test("their tests", () => {
  expect(errorsOf(import.meta.dirname, "-p", ".")).toEqual([]);
});
