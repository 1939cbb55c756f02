/** Links, which work on the site as in the repository: between pages, to source code, to pictures. What leads nowhere is collected. */
import { statSync } from "node:fs";
import { join, posix } from "node:path";
import { root } from "./pages.ts";
import type { Page } from "./pages.ts";

interface Anchored {
  readonly page: Page;
  readonly href: string;
  readonly target: string;
  readonly anchor: string;
}

export class Links {
  /** What leads nowhere, a line each. */
  readonly broken: string[] = [];
  /** Files and folders of the repository that a page links to, and that are no pages. */
  readonly sources = new Set<string>();
  /** Pictures and other files that a page shows. */
  readonly files = new Set<string>();
  readonly #pages: ReadonlyMap<string, Page>;
  readonly #anchors = new Map<string, ReadonlySet<string>>();
  readonly #anchored: Anchored[] = [];

  constructor(pages: readonly Page[]) {
    this.#pages = new Map(pages.map((page) => [page.source, page]));
  }

  /** The anchors that a page has. */
  defines(page: Page, anchors: ReadonlySet<string>): void {
    this.#anchors.set(page.source, anchors);
  }

  /** Where a link of the page leads on the site. */
  link(page: Page, href: string): string {
    if (isElsewhere(href)) return href;
    const [path = "", anchor = ""] = decodeURI(href).split("#");
    const target = path === "" ? page.source : posix.join(posix.dirname(page.source), path).replace(/\/$/, "");
    const found = this.#pages.get(target) ?? this.#pages.get(`${target}/README.md`);
    if (found === undefined) return this.#linkToSource(page, href, target);
    if (anchor !== "") this.#anchored.push({ page, href, target: found.source, anchor });
    const hash = anchor === "" ? "" : `#${anchor}`;
    return found === page && hash !== "" ? hash : relative(page.url, found.url) + hash;
  }

  /** Where a picture of the page is on the site. */
  file(page: Page, src: string): string {
    if (src.startsWith("data:")) return src;
    if (isElsewhere(src)) return this.#fail(page, src, "is asked of another host");
    const target = posix.join(posix.dirname(page.source), decodeURI(src));
    if (!exists(target)) return this.#fail(page, src, "there is no such file");
    this.files.add(target);
    return relative(page.url, `files/${target}`);
  }

  /** Once all pages are rendered. */
  checkAnchors(): void {
    for (const { page, href, target, anchor } of this.#anchored)
      if (this.#anchors.get(target)?.has(anchor) !== true) this.#fail(page, href, `${target} has no such anchor`);
  }

  #linkToSource(page: Page, href: string, target: string): string {
    if (target.startsWith("../") || !exists(target)) return this.#fail(page, href, "there is no such file");
    if (/\.(?:svg|png)$/.test(target)) return this.file(page, href);
    this.sources.add(target);
    return relative(page.url, sourceUrl(target));
  }

  #fail(page: Page, href: string, why: string): string {
    this.broken.push(`${page.source}: (${href}): ${why}`);
    return href;
  }
}

function isElsewhere(href: string): boolean {
  return /^(?:[a-z][a-z+.-]*:|\/\/)/i.test(href);
}

/** The page that shows a file or folder of the repository. */
export function sourceUrl(path: string): string {
  return `source/${path}${isFolder(path) ? "/index" : ""}.html`;
}

export function isFolder(path: string): boolean {
  return statSync(join(root, path)).isDirectory();
}

function exists(path: string): boolean {
  return statSync(join(root, path), { throwIfNoEntry: false }) !== undefined;
}

/** From one of the site's files to another, so that the site may lie anywhere. */
export function relative(from: string, to: string): string {
  return posix.relative(posix.dirname(from), to);
}
