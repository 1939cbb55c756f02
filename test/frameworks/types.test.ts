/** The code of the pages is right for the compiler. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../docs/pages.ts";
import { errorsOf } from "../types/copy.ts";
import { writeFramework } from "./page.ts";

const compilerOptions = {
  target: "es2024",
  module: "nodenext",
  lib: ["es2024"],
  types: ["node"],
  strict: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  allowImportingTsExtensions: true,
  noEmit: true,
  skipLibCheck: true,
};

test("Express's and Fastify's", () => {
  const files = ["express", "fastify"].map((name) => writeFramework(name, "types")(`${name}.ts`));
  const config = join(root, ".tmp/docs/frameworks.tsconfig.json");
  writeFileSync(config, JSON.stringify({ compilerOptions, files }));
  expect(errorsOf(root, "-p", config)).toEqual([]);
});
