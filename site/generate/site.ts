/** The whole site as files. Broken links fail it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "./bundle.ts";
import { firstExample } from "./examples.ts";
import { home } from "./home.ts";
import { icon, layout } from "./layout.ts";
import { Links } from "./links.ts";
import { render } from "./markdown.ts";
import type { Rendered } from "./markdown.ts";
import { readPages, root, shelve } from "./pages.ts";
import type { Page, Shelf } from "./pages.ts";
import { playground } from "./playground.ts";
import { sourcePages } from "./sources.ts";

export type Files = ReadonlyMap<string, string | Uint8Array>;

/** @throws Error that lists the links that lead nowhere. */
export async function generate(pages: readonly Page[] = readPages()): Promise<Files> {
  const bundled = bundle();
  const shelves = shelve(pages);
  const links = new Links(pages);
  const rendered = pages.map((page) => render(page, links));
  links.checkAnchors();
  if (links.broken.length > 0) {
    await bundled;
    throw new Error(`links that lead nowhere:\n${links.broken.join("\n")}`);
  }
  return new Map<string, string | Uint8Array>([
    ...rendered.map((one) => [one.page.url, frame(one, shelves)] as const),
    ...sources(links, shelves),
    ...Array.from(links.files, (file) => [`files/${file}`, readFileSync(join(root, file))] as const),
    ["playground.html", playground(pages, shelves)],
    ["search.json", JSON.stringify(rendered.map(searchable))],
    ["icon.svg", icon],
    ...(await bundled),
  ]);
}

function frame(one: Rendered, shelves: readonly Shelf[]): string {
  const { page, headings } = one;
  const { url, title } = page;
  const description = one.sections[0]?.text.slice(0, 200) ?? title;
  if (page.source === "README.md") {
    const play = firstExample(page);
    return layout({ url, title, description, kind: "home", html: home(one, shelves, play), shelves });
  }
  return layout({ url, title, description, kind: "page", html: one.html, headings, shelves });
}

function* sources(links: Links, shelves: readonly Shelf[]): Generator<readonly [string, string]> {
  for (const { path, url, html } of sourcePages(links.sources))
    yield [url, layout({ url, title: path, description: path, kind: "source", html, shelves })];
}

/** What the search loads when it is opened first. */
function searchable({ page, sections }: Rendered): object {
  return { url: page.url, title: page.title, sections };
}
