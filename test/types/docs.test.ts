/** The examples of README.md and docs/ compile, as a user's would: with Node's types and a browser's. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPages, writePage } from "../docs/pages.ts";
import { recipes } from "../recipes/page.ts";
import { errorsOf, root } from "./copy.ts";

/** Pages whose libraries have a lockfile of their own: test/recipes and test/frameworks compile them. */
const elsewhere = [
  ...recipes.map((name) => `docs/recipes/${name}.md`),
  ...["express", "fastify", "next", "sveltekit"].map((name) => `docs/frameworks/${name}.md`),
  // Runs a suite of this repository: test/backplane/memory.test.ts is one like it.
  "docs/maintainers/backplane.md",
];

test("every example compiles", () => {
  const folder = join(root, ".tmp/types-docs");
  rmSync(folder, { recursive: true, force: true });
  // In folders of their own: other tests run the same pages meanwhile.
  const pages = readPages().filter(
    ({ name, blocks }) => !elsewhere.includes(name) && blocks.some(({ attributes }) => attributes.has("file")),
  );
  for (const page of pages) writePage({ ...page, folder: join(folder, page.name.replace(/\W/g, "-")) });
  const compilerOptions = {
    module: "nodenext",
    target: "es2024",
    lib: ["es2024", "dom"],
    types: ["node"],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    jsx: "react-jsx",
  };
  // What runs inside workerd is compiled for it where it runs. Other libraries have their own lockfile, and test/migrate runs their examples.
  const exclude = ["**/*.workers.test.ts", ...["crossws", "partyserver", "socket-io"].map((name) => `**/${name}-*.ts`)];
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["**/*.ts", "**/*.tsx"], exclude }));
  expect(errorsOf(root, "-p", folder)).toEqual([]);
});
