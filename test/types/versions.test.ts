/**
 * Every declaration that is published holds in an application's program, with `skipLibCheck` off: under each version of TypeScript, from the
 * standard library of ES2022 on, with the web's types from wherever the application has them, and under both ways to resolve a package.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { errorsBy, root } from "./copy.ts";

const earlier = join(root, "test/types/versions");
const { dependencies } = JSON.parse(readFileSync(join(earlier, "package.json"), "utf8")) as { dependencies: Record<string, string> };
const compilers = [
  ...Object.keys(dependencies).map((name) => ({ version: name.replace("typescript-", ""), folder: join(earlier, "node_modules", name) })),
  { version: "7.0", folder: join(root, "node_modules/typescript") },
];

const modules = [
  { module: "nodenext", moduleResolution: "nodenext" },
  { module: "esnext", moduleResolution: "bundler" },
];
/** Where `Request`, `Response`, `AbortSignal` and `URL` come from. Types of a runtime bring their own errors, which are not counted. */
const webs = [
  { name: "dom", lib: ["es2022", "dom"], types: [] },
  { name: "webworker", lib: ["es2022", "webworker"], types: [] },
  { name: "@types/node", lib: ["es2022"], types: ["node"] },
  { name: "@types/bun", lib: ["es2022"], types: ["bun"] },
  { name: "workers-types", lib: ["es2022"], types: ["@cloudflare/workers-types"] },
];

const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { exports: Record<string, unknown> };
const entries = Object.keys(exports).map((path) => `edgewire${path.slice(1)}`);

/** `npm run campaign:types`. An older compiler takes some seconds for a program, so `npm test` has one or two of each. */
const all = process.env["TYPES"] === "all";
// The last version meets all of the web's types, the first a page's and Node's, those between one each.
const cases = compilers.flatMap((compiler, at) => {
  const met = all || at === compilers.length - 1 ? webs : at === 0 ? [webs[0]!, webs[2]!] : webs.slice(at - 1, at);
  return met.map((web, index) => ({ ...compiler, ...web, ...modules[(at + index) % 2]! }));
});

test.for(cases)("TypeScript $version, $name, $moduleResolution", ({ version, folder, name, ...options }) => {
  const project = join(root, ".tmp/versions", `${version}-${name.replaceAll("/", "-")}`);
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  const compilerOptions = {
    ...options,
    target: "es2022",
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["uses.ts"] }));
  // By its own name the package is found inside its repository too.
  writeFileSync(join(project, "uses.ts"), entries.map((entry, index) => `export * as entry${index} from "${entry}";\n`).join(""));
  expect(errorsBy(folder, project).filter((error) => !error.includes("node_modules"))).toEqual([]);
});

// From 6.0 on a nested call infers otherwise than before. What a program without `exactOptionalPropertyTypes` sees is also compiled here alone.
test.for(compilers.filter(({ version }) => version === "5.7" || (all && version !== "7.0")))(
  "TypeScript $version infers and refuses the same",
  ({ version, folder }) => {
    const project = join(root, ".tmp/versions", `${version}-inferred`);
    mkdirSync(project, { recursive: true });
    const lib = ["es2024", "webworker", "webworker.asynciterable"];
    const compilerOptions = { ...modules[0], lib, types: [], target: "es2024", strict: true, noEmit: true, skipLibCheck: true };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: [join(root, "test/types/*.test-d.ts")] }));
    expect(errorsBy(folder, project)).toEqual([]);
  },
);

// What an inferred type names must be exported somewhere: a project that writes declarations (a monorepo's `composite`) fails with TS2742 otherwise.
test.for([compilers.at(0)!, compilers.at(-1)!])("TypeScript $version can write an application's declarations", ({ version, folder }) => {
  const project = join(root, ".tmp/versions", `${version}-declared`);
  rmSync(project, { recursive: true, force: true });
  // Outside the package's own folder, or it would be named by a path.
  const installed = join(project, "node_modules/edgewire");
  for (const part of ["dist", "package.json"]) cpSync(join(root, part), join(installed, part), { recursive: true });
  cpSync(join(root, "test/types/declared.ts"), join(project, "declared.ts"));
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
  const lib = ["es2022", "dom"];
  const compilerOptions = { ...modules[0], lib, types: [], target: "es2022", strict: true, declaration: true, skipLibCheck: true };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["declared.ts"] }));
  expect(errorsBy(folder, project)).toEqual([]);
  const written = readFileSync(join(project, "declared.d.ts"), "utf8");
  expect(
    [...written.matchAll(/from "([^"]*)"|import\("([^"]*)"/g)].map(([, a, b]) => a ?? b).filter((name) => name?.startsWith(".")),
  ).toEqual([]);
});

test("the versions that are tested begin with the one that the README asks for", () => {
  const asked = /TypeScript (\d+\.\d+) or later/.exec(readFileSync(join(root, "README.md"), "utf8"))?.[1];
  expect(compilers[0]?.version).toBe(asked);
});
