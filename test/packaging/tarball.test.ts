/** What is published: its files, its manifest, and its types in every kind of project that can use it. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { brokenLinks } from "../../scripts/links.ts";
import { pack, packCreate } from "../../scripts/pack.ts";
import { installed } from "./install.ts";
import { lowestVersion } from "./lowest.ts";

const root = join(import.meta.dirname, "../..");
const bin = join(root, "node_modules/.bin");
const anywhere = ["", "/client", "/serve", "/memory", "/messages", "/msgpack", "/react"].map((name) => `edgewire${name}`);
const oneFile = ["edgewire/client.js", "edgewire/delivery/client.js", "edgewire/messages.js"];
const entries = [...anywhere, ...oneFile, ...["workers", "durable", "deno", "bun", "node", "hono"].map((name) => `edgewire/${name}`)];

let tarball: string;
/** The files in it. */
let files: string[];
/** create-edgewire's tarball. */
let created: string;
let project: string;

beforeAll(() => {
  project = installed(["hono", "ws", "@hono/node-server", "@types/node", "@types/bun", "@cloudflare/workers-types"]);
  tarball = pack();
  created = packCreate();
  files = execFileSync("tar", ["tf", tarball], { encoding: "utf8" }).trim().split("\n");
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

test("holds dist, the sources, the licence and the pages, and nothing else", () => {
  const expected =
    /^package\/(package\.json|README\.md|CHANGELOG\.md|SECURITY\.md|LICENSE|docs\/([a-z-]+\/)*[\w-]+\.md|docs\/vectors\.json|(src|adapters)\/([a-z]+\/)*[a-z-]+\.ts|dist\/(src|adapters)\/([a-z]+\/)*[a-z-]+\.(js|d\.ts|d\.ts\.map)|dist\/browser\/[a-z]+\.js(\.map)?)$/;
  expect(files.filter((file) => !expected.test(file))).toEqual([]);
  expect(files.length).toBeGreaterThan(20);
});

test("each link in its pages leads to a file of the package, or to this version in the repository", () => {
  const unpacked = mkdtempSync(join(tmpdir(), "edgewire-pages-"));
  onTestFinished(() => rmSync(unpacked, { recursive: true }));
  execFileSync("tar", ["xf", tarball, "-C", unpacked]);
  expect(brokenLinks(join(unpacked, "package"))).toEqual([]);
  const readme = readFileSync(join(unpacked, "package/README.md"), "utf8");
  expect(readme).toContain("](docs/guide/delivery.md)");
  const { repository, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { repository: string; version: string };
  expect(readme).toContain(`](${repository}/blob/v${version}/CONTRIBUTING.md)`);
  expect(readme).toContain(`src="${repository}/raw/v${version}/docs/screenshots/chat-light.png"`);
});

test("what it and create-edgewire say of their addresses follows from `repository`", () => {
  const { repository } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { repository: string };
  const addresses = (file: string): unknown => {
    const {
      homepage: page,
      bugs: issues,
      repository: source,
    } = JSON.parse(execFileSync("tar", ["xOf", file, "package/package.json"], { encoding: "utf8" })) as Record<string, unknown>;
    return { homepage: page, bugs: issues, repository: source };
  };
  const url = `git+${repository}.git`;
  const bugs = `${repository}/issues`;
  expect(addresses(tarball)).toEqual({ homepage: `${repository}#readme`, bugs, repository: { type: "git", url } });
  const directory = "create-edgewire";
  const homepage = `${repository}/tree/HEAD/create-edgewire#readme`;
  expect(addresses(created)).toEqual({ homepage, bugs, repository: { type: "git", url, directory } });
});

test("its manifest has none of the repository's own fields", () => {
  const manifest = JSON.parse(readFileSync(join(project, "node_modules/edgewire/package.json"), "utf8")) as Record<string, unknown>;
  expect(Object.keys(manifest).toSorted()).toEqual([
    "bugs",
    "description",
    "engines",
    "exports",
    "files",
    "homepage",
    "imports",
    "keywords",
    "license",
    "name",
    "peerDependencies",
    "peerDependenciesMeta",
    "repository",
    "sideEffects",
    "type",
    "version",
  ]);
});

test("it asks for the lowest Node that the tests run on, and so does the README", () => {
  const { engines } = JSON.parse(readFileSync(join(project, "node_modules/edgewire/package.json"), "utf8")) as {
    engines: { node: string };
  };
  expect(engines.node).toBe(`>=${lowestVersion()}`);
  expect(readFileSync(join(root, "README.md"), "utf8")).toContain(`Node ${lowestVersion().replace(/\.0$/, "")} or later`);
});

test("publint has no complaint of either package", () => {
  for (const file of [tarball, created])
    expect(run(["publint", "run", file, "--strict"])).toEqual({ status: 0, printed: expect.stringMatching(/All good!\s*$/) as string });
});

// The profile leaves out CommonJS, and the resolution from before `exports`: an ESM-only package has no part in them.
test("attw finds the types of every entry point", () => {
  const { status, printed } = run(["attw", tarball, "--profile", "esm-only", "--format", "ascii", "--no-emoji"]);
  expect(status, printed).toBe(0);
  for (const entry of entries) expect(printed).toContain(`"${entry}"`);
});

/** What users have in scope: one platform's types, or none. */
const users = [
  { name: "no types but the standard library's", lib: ["es2022", "dom"], types: [], uses: entries },
  { name: "a service worker's library", lib: ["es2022", "webworker"], types: [], uses: entries },
  { name: "@types/node", lib: ["es2022"], types: ["node"], uses: [...anywhere, "edgewire/node", "edgewire/hono"] },
  { name: "@types/bun", lib: ["es2022"], types: ["bun"], uses: [...anywhere, "edgewire/bun", "edgewire/hono"] },
  {
    name: "@cloudflare/workers-types",
    lib: ["es2022"],
    types: ["@cloudflare/workers-types"],
    uses: ["edgewire", "edgewire/client", "edgewire/workers", "edgewire/durable", "edgewire/hono", "edgewire/serve"],
  },
];
const modules = [
  { module: "nodenext", moduleResolution: "nodenext" },
  { module: "esnext", moduleResolution: "bundler" },
];

// With skipLibCheck off: every declaration that Edgewire ships must hold in the user's program.
test.for(users.flatMap((user) => modules.map((module) => ({ ...user, ...module }))))("compiles with $name, $moduleResolution", (user) => {
  const { name: _name, uses, lib, types, ...module } = user;
  const source = uses.map((entry, index) => `export * as entry${index} from "${entry}";\n`).join("");
  writeFileSync(join(project, "uses.ts"), source);
  const compilerOptions = { ...module, lib, types, strict: true, exactOptionalPropertyTypes: true, noEmit: true, target: "es2022" };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["uses.ts"] }));
  const printed = spawnSync(process.execPath, [join(bin, "tsc"), "--pretty", "false"], { cwd: project, encoding: "utf8" }).stdout;
  // Others' declarations are theirs to mend.
  expect(printed.split("\n").filter((line) => /edgewire|^uses/.test(line))).toEqual([]);
});

function run([tool = "", ...args]: string[]): { status: number | null; printed: string } {
  const env = { ...process.env, NO_COLOR: "1" };
  const { status, stdout } = spawnSync(process.execPath, [join(bin, tool), ...args], { encoding: "utf8", env });
  return { status, printed: stdout };
}
