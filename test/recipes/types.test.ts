/** The code of the recipes is right for the compiler, and so are their tests: in one run, as it is the libraries' types that take time. */
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPage, root, writePage } from "../docs/pages.ts";
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

test("there is no error", () => {
  const code = recipes.flatMap((name) => {
    const page = readPage(`docs/recipes/${name}.md`);
    const own = { ...page, folder: `${page.folder}-types` };
    writePage(own);
    symlinkSync(libraries, join(own.folder, "node_modules"));
    const files = page.blocks.map(({ attributes }) => attributes.get("file") ?? "").filter((file) => file.endsWith(".ts"));
    return files.map((file) => join(own.folder, file));
  });
  const tests = [join(import.meta.dirname, "*.ts"), join(root, "adapters/durable/cloudflare.d.ts")];
  const config = join(root, ".tmp/docs/recipes.tsconfig.json");
  writeFileSync(config, JSON.stringify({ compilerOptions, files: code, include: tests }));
  expect(errorsOf(root, "-p", config)).toEqual([]);
});
