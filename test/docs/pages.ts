/**
 * The examples of README.md and of all pages in docs/ as files that run. A block says what it is after its language:
 * `file=server.ts` a file beside the page's others, `client=ws` a client of the page's server.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
  /** Where its files are, for the runtimes to run: inside the package, so that they import it by its name. */
  readonly folder: string;
}

export function readPages(): Page[] {
  const docs = globSync("docs/**/*.md", { cwd: root }).toSorted();
  return ["README.md", ...docs].map(readPage);
}

export function readPage(name: string): Page {
  const text = readFileSync(join(root, name), "utf8");
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
  return { name, blocks, folder: join(root, ".tmp/docs", name.replace(/\W/g, "-")) };
}

/** Writes a page's files, with those of the README that it may refer to, and what a test adds. */
export function writePage(page: Page, more: Record<string, string> = {}): void {
  rmSync(page.folder, { recursive: true, force: true });
  mkdirSync(page.folder, { recursive: true });
  const files = new Map<string, string>();
  for (const { attributes, code } of [...readPage("README.md").blocks, ...page.blocks]) {
    const file = attributes.get("file");
    if (file !== undefined) files.set(file, code);
  }
  for (const [file, code] of [...files, ...Object.entries(more)]) writeFileSync(join(page.folder, file), code);
}
