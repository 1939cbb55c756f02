/**
 * `node scripts/links.ts`: every link in a page leads somewhere, to a file that exists and a heading that it has. So does every mention of a page in the code,
 * in a comment as well as in an error's message.
 */
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";

const pages = ["*.md", "docs/**/*.md", "bench/**/*.md", "examples/**/*.md", "create-edgewire/**/*.md", "test/**/*.md"];
const code = ["src", "adapters", "scripts", "bench", "examples", "create-edgewire", "test"].map(
  (folder) => `${folder}/**/*.{ts,tsx,js,mjs,c,py}`,
);
const ignored = /(?:^|[/\\])(?:node_modules|\.tmp|dist)(?:[/\\]|$)/;

interface Target {
  /** Where it stands in the page, as it is written there. */
  readonly index: number;
  readonly target: string;
  /** From the root. */
  readonly path: string;
  readonly anchor: string | undefined;
}

interface Link {
  readonly line: number;
  /** From the root. */
  readonly path: string;
  readonly anchor: string | undefined;
}

/** Each broken link of a checkout, as a line for a reader. */
export function brokenLinks(root: string): string[] {
  const anchors = new Map<string, ReadonlySet<string>>();
  const anchorsIn = (path: string): ReadonlySet<string> => {
    let found = anchors.get(path);
    if (found === undefined) anchors.set(path, (found = anchorsOf(readFileSync(join(root, path), "utf8"))));
    return found;
  };
  const broken = ({ path, anchor }: Link): string | undefined => {
    if (path.startsWith("..") || !existsSync(join(root, path))) return `there is no ${path}`;
    if (anchor === undefined || !path.endsWith(".md") || anchorsIn(path).has(anchor)) return undefined;
    return `${path} has no heading #${anchor}`;
  };
  const inPages = filesOf(root, pages).map((file) => [file, linksOf(file, readFileSync(join(root, file), "utf8"))] as const);
  const inCode = filesOf(root, code).map((file) => [file, mentionsOf(readFileSync(join(root, file), "utf8"))] as const);
  return [...inPages, ...inCode].flatMap(([file, links]) =>
    links.flatMap((link) => {
      const problem = broken(link);
      return problem === undefined ? [] : [`${file}:${link.line}: ${problem}`];
    }),
  );
}

function filesOf(root: string, patterns: readonly string[]): string[] {
  const found = globSync(patterns, { cwd: root, exclude: (name) => ignored.test(name) });
  return found.filter((name) => !ignored.test(name) && statSync(join(root, name)).isFile()).toSorted();
}

/** The relative links of a page, and what it says of other pages, outside its code. */
function linksOf(file: string, text: string): Link[] {
  const linked = targetsOf(file, text).map(({ index, path, anchor }) => ({ line: lineAt(text, index), path, anchor }));
  const mentioned = mentionsOf(withoutCode(text).replaceAll(/\]\([^)]*\)/g, (link) => " ".repeat(link.length)));
  return [...linked, ...mentioned];
}

/** Writes other targets into a page, where `to` has one for the path from the root. */
export function mapLinks(file: string, text: string, to: (path: string) => string | undefined): string {
  let result = "";
  let end = 0;
  for (const { index, target, path, anchor } of targetsOf(file, text).toSorted((a, b) => a.index - b.index)) {
    const other = to(path);
    if (other === undefined) continue;
    result += text.slice(end, index) + other + (anchor === undefined ? "" : `#${anchor}`);
    end = index + target.length;
  }
  return result + text.slice(end);
}

/** The relative links of a page, outside its code. */
function targetsOf(file: string, text: string): Target[] {
  const prose = withoutCode(text);
  const patterns = [/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g, /^\[[^\]]+\]: (\S+)/gm, /\b(?:src|href|srcset)="([^"]+)"/g];
  const found = patterns.flatMap((pattern) => [...prose.matchAll(pattern)]);
  return found.flatMap(({ 0: whole, 1: target = "", index: begin }) => {
    if (/^(?:[a-z]+:|\/)/i.test(target)) return [];
    const [path = "", anchor] = target.split("#", 2);
    const resolved =
      path === ""
        ? file
        : normalize(join(dirname(file), path))
            .replaceAll("\\", "/")
            .replace(/\/$/, "");
    return [{ index: begin + whole.indexOf(target), target, path: resolved, anchor }];
  });
}

/** What a text says of pages: a path from the root, and perhaps a heading. */
function mentionsOf(text: string): Link[] {
  const found = text.matchAll(/(?<![\w/.-])(?:\.\.\/)*(docs\/[\w/.-]*\w\.(?:md|svg|png|json))(?:#([\w-]+))?/g);
  return Array.from(found, ({ 1: path = "", 2: anchor, index }) => ({ line: lineAt(text, index), path, anchor }));
}

/** As long as before, so that places in it are places in the page. */
function withoutCode(text: string): string {
  const blank = (block: string): string => block.replaceAll(/[^\n]/g, " ");
  return text.replaceAll(/^( *)```[\s\S]*?^\1```$/gm, blank).replaceAll(/`[^`\n]+`/g, blank);
}

/** As GitHub makes them of headings, and those that a page sets itself. */
function anchorsOf(text: string): ReadonlySet<string> {
  const all = new Set<string>();
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, "");
  for (const [, heading = ""] of prose.matchAll(/^#+ +(.*)$/gm)) {
    const slug = slugOf(heading);
    let unique = slug;
    for (let count = 1; all.has(unique); count++) unique = `${slug}-${count}`;
    all.add(unique);
  }
  for (const [, id = ""] of prose.matchAll(/<a (?:id|name)="([^"]+)"/g)) all.add(id);
  return all;
}

function slugOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

if (import.meta.main) {
  const root = join(import.meta.dirname, "..");
  const found = brokenLinks(root);
  for (const line of found) console.error(line);
  if (found.length > 0) {
    console.error(`${found.length} broken links (${relative(root, import.meta.filename)})`);
    process.exitCode = 1;
  }
}
