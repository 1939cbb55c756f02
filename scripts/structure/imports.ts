/**
 * The files of the source and their imports, read from the text. oxfmt lays it out, so a statement begins its line. Imports of types and values
 * count alike: a reader follows both.
 */
import { globSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

export interface Import {
  readonly line: number;
  /** A file of the repository, or a package as it is written; undefined if it is computed. */
  readonly to: string | undefined;
  readonly isFile: boolean;
}

export interface Source {
  readonly lines: number;
  readonly imports: readonly Import[];
}

/** By path from the root, sorted. */
export type Sources = ReadonlyMap<string, Source>;

const forms: readonly RegExp[] = [
  // import … from "…" and export … from "…"; braces may hold comments.
  /^(?:import|export)\s(?:[\w$*,\s]|\{[^}]*\})*?from\s*["']([^"']+)["']/gm,
  /^(?:import|declare module)\s*["']([^"']+)["']/gm,
  // Also in types: import("…").Name.
  /\b(?:import|require)\(\s*(?:["'`]([^"'`$]+)["'`])?/g,
];

const isComment = /^\s*(?:\/\/|\/?\*)/;

export function readSources(root: string, folders: readonly string[]): Sources {
  const pattern = folders.map((folder) => `${folder}/**/*.ts`);
  const files = globSync(pattern, { cwd: root, exclude: (name) => name === "node_modules" }).map((name) => name.replaceAll("\\", "/"));
  const names = namesOf(root);
  return new Map(files.toSorted().map((file) => [file, readSource(file, readFileSync(join(root, file), "utf8"), names)]));
}

function readSource(file: string, text: string, names: ReadonlyMap<string, string>): Source {
  const imports: Import[] = [];
  for (const form of forms) {
    for (const { 0: found, 1: written, index } of text.matchAll(form)) {
      if (isComment.test(text.slice(text.lastIndexOf("\n", index) + 1, index + 1))) continue;
      const line = text.slice(0, index + found.length).split("\n").length;
      imports.push({ line, ...resolve(file, written, names) });
    }
  }
  return { lines: text.split("\n").length - 1, imports: imports.toSorted((one, two) => one.line - two.line) };
}

function resolve(file: string, written: string | undefined, names: ReadonlyMap<string, string>): Omit<Import, "line"> {
  if (written === undefined) return { to: undefined, isFile: false };
  if (!written.startsWith(".")) return { to: names.get(written) ?? written, isFile: names.has(written) };
  return { to: posix.join(posix.dirname(file), written).replace(/\.js$/, ".ts"), isFile: true };
}

/** The package's own names ("edgewire/node", "#bare") and the files that have their types. */
function namesOf(root: string): ReadonlyMap<string, string> {
  type Targets = Record<string, { readonly types: string }>;
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { name: string; exports: Targets; imports: Targets };
  const exported = Object.entries(manifest.exports).map(([name, target]) => [posix.join(manifest.name, name), target] as const);
  const source = (types: string): string => types.replace(/^\.\/dist\//, "").replace(/\.d\.ts$/, ".ts");
  return new Map([...exported, ...Object.entries(manifest.imports)].map(([name, { types }]) => [name, source(types)]));
}
