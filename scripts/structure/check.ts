/** The part of `npm run lint` that holds the layers of layers.ts: arrows, circles, sizes. Prints what is wrong, and fails. */
import { posix, join } from "node:path";
import { readSources } from "./imports.ts";
import type { Import, Sources } from "./imports.ts";
import { circular, exceptions, layerOf, layers, most } from "./layers.ts";
import type { Layer } from "./layers.ts";

/** What is wrong with the source under `root`, a line each. */
export function check(root: string): readonly string[] {
  const sources = readSources(root, ["src", "adapters", "bench", "examples"]);
  return [...wrongArrows(sources), ...circles(sources), ...wrongSizes(sources)];
}

function* wrongArrows(sources: Sources): Generator<string> {
  for (const [file, { imports }] of sources) {
    if (!/^(?:src|adapters)\//.test(file)) continue;
    const layer = layerOf(file);
    if (layer === undefined) yield `${file}: belongs to no layer. Add its folder to scripts/structure/layers.ts`;
    else for (const one of imports) yield* wrongArrow(file, layer, one);
  }
  for (const { name, first } of layers) if (!sources.has(first)) yield `layer ${name}: ${first}, to be read first, does not exist`;
}

function* wrongArrow(file: string, { name, may, packages = [] }: Layer, { line, to, isFile }: Import): Generator<string> {
  if (to === undefined) return yield `${file}:${line}: an import of a computed name can't be checked. Write the name as a string`;
  const target = isFile ? layerOf(to) : undefined;
  if (target === undefined ? isAllowed(to, packages) : target.name === name || may.includes(target.name)) return;
  const allowed = [...may, ...packages.map((one) => (one.endsWith(":") ? `${one}*` : one))].join(", ") || "nothing but itself";
  yield `${file}:${line}: ${name} -> ${target?.name ?? "outside"} (${to}). ${name} may import: ${allowed}`;
}

function isAllowed(to: string, packages: readonly string[]): boolean {
  return packages.some((one) => (one.endsWith(":") ? to.startsWith(one) : to === one || to.startsWith(`${one}/`)));
}

/** For each file that is on a circle, a shortest one; each is told once. */
function* circles(sources: Sources): Generator<string> {
  const told = new Set<string>();
  for (const file of sources.keys()) {
    const circle = told.has(file) ? undefined : circleOf(sources, file);
    if (circle === undefined || circle.every((one) => one.startsWith(circular))) continue;
    for (const one of circle) told.add(one);
    yield `${file}: a circle of imports: ${[...circle, file].join(" -> ")}`;
  }
}

function circleOf(sources: Sources, start: string): readonly string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const file of queue) {
    for (const { to } of sources.get(file)?.imports ?? []) {
      if (to === start) return pathTo(file, start, cameFrom);
      if (to === undefined || !sources.has(to) || cameFrom.has(to)) continue;
      cameFrom.set(to, file);
      queue.push(to);
    }
  }
  return undefined;
}

function pathTo(end: string, start: string, cameFrom: ReadonlyMap<string, string>): readonly string[] {
  const path = [end];
  while (path[0] !== start) path.unshift(cameFrom.get(path[0] as string) as string);
  return path;
}

function* wrongSizes(sources: Sources): Generator<string> {
  const folders = Map.groupBy(sources.keys(), (file) => posix.dirname(file));
  const sizes = [
    ...Array.from(sources, ([file, { lines }]) => ({ path: file, size: lines, most: most.lines, of: "lines" })),
    ...Array.from(folders, ([folder, files]) => ({ path: folder, size: files.length, most: most.files, of: "files" })),
  ];
  for (const { path, size, most: usual, of } of sizes) {
    const allowed = exceptions[path]?.most ?? usual;
    if (size > allowed) yield `${path}: ${size} ${of}. At most ${allowed} are allowed (scripts/structure/layers.ts)`;
    else if (allowed > usual && size <= usual) yield `${path}: needs no exception in scripts/structure/layers.ts any longer`;
  }
}

if (import.meta.main) {
  const wrong = check(join(import.meta.dirname, "../.."));
  for (const one of wrong) console.error(one);
  if (wrong.length > 0) process.exitCode = 1;
}
