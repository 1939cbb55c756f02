/**
 * Published sources import no runtime's types: adapters declare the little that they use. Here that is held against the
 * real ones, on a copy in which every `declare const Name: Shape` is also given the runtime's own `Name`.
 */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { denoBinary } from "../support/runtimes.ts";
import { append, copySources, errorsOf } from "./copy.ts";

const runtimes = [
  { runtime: "bun", parts: ["bun"], lib: ["es2024"], types: ["bun"] },
  { runtime: "deno", parts: ["deno"], lib: ["es2024"], types: ["./deno.d.ts"] },
  { runtime: "cloudflare", parts: ["workers", "durable"], lib: ["es2024"], types: ["@cloudflare/workers-types"] },
];

test.for(runtimes)("$runtime is as its adapter says", ({ runtime, parts, lib, types }) => {
  const copy = copySources(`reality/${runtime}`);
  if (runtime === "deno") writeFileSync(join(copy, "deno.d.ts"), denoTypes());
  const files = parts.flatMap((part) => globSync(`adapters/${part}/**/*.ts`, { cwd: copy }));
  const names = files.flatMap((file) => hold(join(copy, file)));
  expect(names).not.toEqual([]);
  // A script, in which the names are the globals.
  writeFileSync(join(copy, "real.d.ts"), [...new Set(names)].map((name) => `declare const real${name}: typeof ${name};\n`).join(""));

  const compilerOptions = { lib, types, composite: false, isolatedDeclarations: false, noEmit: true, rootDir: "." };
  const sources = ["real.d.ts", ...files];
  writeFileSync(
    join(copy, "tsconfig.reality.json"),
    JSON.stringify({ extends: "./tsconfig.json", compilerOptions, files: sources, references: [] }),
  );
  const errors = errorsOf(copy, "-p", "tsconfig.reality.json");
  expect(errors.filter((error) => error.includes("does not satisfy") || error.includes("real"))).toEqual([]);
});

/** Holds each declared global against the real one; returns their names. */
function hold(path: string): string[] {
  const names = [...readFileSync(path, "utf8").matchAll(/^declare const (\w+):/gm)].map(([, name = ""]) => name);
  append(
    path,
    names.map((name) => `void (real${name} satisfies typeof ${name});`),
  );
  return names;
}

function denoTypes(): string {
  return spawnSync(denoBinary(), ["types"], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 }).stdout;
}
