/** A page of docs/frameworks as files that run, with what its framework's package.json here has. */
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readPage, writePage } from "../docs/pages.ts";
import { errorsOf } from "../types/copy.ts";

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

/** Returns the path of one of the page's files. @param name of the framework. */
export function writeFramework(name: string): (file: string) => string {
  const page = readPage(`docs/frameworks/${name}.md`);
  writePage(page);
  symlinkSync(join(import.meta.dirname, name, "node_modules"), join(page.folder, "node_modules"));
  return (file) => join(page.folder, file);
}

/** The compiler's errors in the page's code. */
export function errorsIn(file: (name: string) => string, entry: string): string[] {
  writeFileSync(file("tsconfig.json"), JSON.stringify({ compilerOptions, files: [entry] }));
  return errorsOf(file("."), "-p", ".");
}
