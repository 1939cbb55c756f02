/** Finds the pages: README.md, what stands beside it, and docs/ with its shelves, which are its folders. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, posix } from "node:path";

export const root: string = join(import.meta.dirname, "../..");

/** A file of Markdown that becomes a page. */
export interface Page {
  /** Its path in the repository. */
  readonly source: string;
  /** Its path on the site. */
  readonly url: string;
  readonly title: string;
  readonly text: string;
}

/** Pages that stand together in the menu. */
export interface Shelf {
  readonly name: string;
  readonly groups: readonly Group[];
}

export interface Group {
  /** Of a folder within the shelf; "" for the shelf's own pages. */
  readonly name: string;
  readonly pages: readonly Page[];
}

/** Beside README.md, where they exist. */
const besides = ["CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];
/** For shelves that docs/README.md does not name. */
const usual = ["guide", "recipes", "deploy", "frameworks", "migrate", "reference", "maintainers"];
const home = "README.md";
const contents = "docs/README.md";
/** The shelf of what is in no folder. */
const project = "project";

export function readPages(): readonly Page[] {
  const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name.replaceAll("\\", "/")}`);
  return [home, ...besides.filter((name) => existsSync(join(root, name))), ...docs.toSorted()].map(readPage);
}

function readPage(source: string): Page {
  const text = readFileSync(join(root, source), "utf8");
  const title = /^# (.+)$/m.exec(text)?.[1]?.replace(/[`*]|\[|\]\([^)]*\)/g, "") ?? posix.basename(source, ".md");
  return { source, url: urlOf(source), title, text };
}

function urlOf(source: string): string {
  if (source === home) return "index.html";
  if (source === contents) return "contents.html";
  const path = source.replace(/^docs\//, "").replace(/(?:README|index)\.md$/, "index.md");
  return `${path.toLowerCase().replace(/\.md$/, "")}.html`;
}

/** The pages in the order of the menu, which is that of the links in docs/README.md. */
export function shelve(pages: readonly Page[]): readonly Shelf[] {
  const order = placesIn(pages.find(({ source }) => source === contents));
  const place = ({ source }: Page): number => order.get(source) ?? Number.POSITIVE_INFINITY;
  const shown = pages.filter(({ source }) => source !== home && source !== contents);
  const shelves = Map.groupBy(shown, ({ source }) => partsOf(source)[0]);
  const rank = ([name, members]: readonly [string, readonly Page[]]): number => {
    const known = usual.indexOf(name);
    return Math.min(...members.map(place), known < 0 ? 1e6 + usual.length : 1e6 + known) + (name === project ? 1e9 : 0);
  };
  return [...shelves]
    .toSorted((a, b) => rank(a) - rank(b))
    .map(([name, members]) => ({ name: labelOf(name), groups: groupsOf(members.toSorted((a, b) => compare(place(a), place(b)))) }));
}

/** The position of the first link to each file. */
function placesIn(page: Page | undefined): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  for (const { 1: target = "", index } of page?.text.matchAll(/\]\(([^)#\s]+\.md)/g) ?? []) {
    const file = posix.join(posix.dirname(contents), target);
    if (!places.has(file)) places.set(file, index);
  }
  return places;
}

/** Infinities are equal. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

/** The shelf, and the folder in it. */
function partsOf(source: string): readonly [shelf: string, group: string] {
  const parts = posix.dirname(source).split("/");
  return parts[0] !== "docs" || parts.length === 1 ? [project, ""] : [parts[1] ?? project, parts.slice(2).join("/")];
}

function groupsOf(pages: readonly Page[]): readonly Group[] {
  const groups = Map.groupBy(pages, ({ source }) => partsOf(source)[1]);
  return Array.from(groups, ([name, members]) => ({ name: labelOf(name), pages: members }));
}

function labelOf(folder: string): string {
  const words = folder.replace(/[-/]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
