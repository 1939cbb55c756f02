/**
 * The examples of README.md and of all pages in docs/ as files that run. A block says what it is after its language:
 * `file=server.ts` a file beside the page's others, `client=ws` a client of the page's server.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root: string = fileURLToPath(new URL("../../", import.meta.url));

export interface Block {
  readonly language: string;
  /** `file` or `client` to its value. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly code: string;
}

export interface Page {
  readonly name: string;
  readonly blocks: readonly Block[];
  /** Of other pages, whose files these blocks import: `<!-- Uses the files of messages.md. -->`. */
  readonly uses: readonly Block[];
  /** Where its files are, for the runtimes to run: inside the package, so that they import it by its name. */
  readonly folder: string;
}

export function readPages(): Page[] {
  const docs = globSync("docs/**/*.md", { cwd: root }).toSorted();
  return ["README.md", ...docs].map((name) => readPage(name));
}

/** A page, or several as one. */
export function readPage(name: string, ...more: readonly string[]): Page {
  const texts = [name, ...more].map((one) => ({ from: one, text: readFileSync(join(root, one), "utf8") }));
  const uses = texts.flatMap(({ from, text }) =>
    Array.from(text.matchAll(/^<!-- Uses the files of (\S+)\. -->$/gm), ([, other = ""]) => join(dirname(from), other)),
  );
  return {
    name,
    blocks: texts.flatMap(({ text }) => blocksOf(text)),
    uses: uses.flatMap((other) => blocksOf(readFileSync(join(root, other), "utf8"))),
    folder: join(root, ".tmp/docs", name.replace(/\W/g, "-")),
  };
}

function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  for (const [, language = "", info = "", code = ""] of text.matchAll(/^```(\w+)([^\n]*)\n([\s\S]*?)^```$/gm)) {
    const attributes = new Map(
      info
        .trim()
        .split(/\s+/)
        .filter(Boolean)
        .map((one) => one.split(/=(.*)/, 2) as [string, string]),
    );
    blocks.push({ language, attributes, code });
  }
  return blocks;
}

/** Writes a page's files, with those of the README and of the pages that it uses, and what a test adds. */
export function writePage(page: Page, more: Record<string, string> = {}): void {
  rmSync(page.folder, { recursive: true, force: true });
  mkdirSync(page.folder, { recursive: true });
  const files = new Map<string, string>();
  for (const { attributes, code } of [...readPage("README.md").blocks, ...page.uses, ...page.blocks]) {
    const file = attributes.get("file");
    if (file !== undefined) files.set(file, code);
  }
  for (const [file, code] of [...files, ...Object.entries(more)]) {
    mkdirSync(dirname(join(page.folder, file)), { recursive: true });
    writeFileSync(join(page.folder, file), code);
  }
}
