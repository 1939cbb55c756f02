/** The frame of every page: header, menu, contents, footer. Works without scripts, but for the search. */
import { escape } from "./highlight.ts";
import { relative } from "./links.ts";
import type { Heading } from "./markdown.ts";
import type { Page, Shelf } from "./pages.ts";

export interface Frame {
  /** The page's path on the site. */
  readonly url: string;
  readonly title: string;
  readonly description?: string;
  readonly kind: "home" | "page" | "source" | "playground";
  readonly html: string;
  readonly headings?: readonly Heading[];
  readonly shelves: readonly Shelf[];
  /** Scripts and styles besides those of all pages. */
  readonly head?: string;
}

/** Before the first paint: the theme that was chosen earlier. */
const theme = `try { const theme = localStorage.getItem("theme"); if (theme) document.documentElement.dataset.theme = theme } catch {}`;

const mark = `<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8"/><path d="M9 11h14M9 16h9M9 21h14"/><circle cx="22.5" cy="16" r="2.2"/></svg>`;
export const icon: string = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0a6c5f"/><path d="M9 11h14M9 16h9M9 21h14" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/><circle cx="22.5" cy="16" r="2.2" fill="#7fe3d0"/></svg>`;

export function layout(frame: Frame): string {
  const { url, title, kind, description = "", head = "" } = frame;
  const to = (path: string): string => relative(url, path);
  const name = kind === "home" ? "Edgewire: WebSockets at the edge" : `${title} · Edgewire`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(name)}</title>
<meta name="description" content="${escape(description.slice(0, 160))}">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${to("icon.svg")}" type="image/svg+xml">
<link rel="stylesheet" href="${to("site.css")}">
<script>${theme}</script>
<script type="module" src="${to("site.js")}"></script>${head}
</head>
<body class="${kind}" data-root="${to("index.html").replace(/index\.html$/, "")}">
<a class="skip" href="#content">Skip to the content</a>
${header(frame, to)}
<div class="columns">
${kind === "playground" ? "" : menu(frame, to)}
<main id="content" tabindex="-1">
${kind === "home" || kind === "playground" ? frame.html : `<article>\n${frame.html}\n</article>`}
${kind === "page" ? neighbours(frame, to) : ""}
</main>
${kind === "page" ? contents(frame.headings ?? []) : ""}
</div>
<footer><p>Edgewire, under the MIT License. This site asks nothing of other hosts.</p></footer>
${search}
</body>
</html>
`;
}

type To = (path: string) => string;

function header({ url, kind, shelves }: Frame, to: To): string {
  const first = shelves[0]?.groups[0]?.pages[0]?.url ?? "contents.html";
  const links = [
    [first, "Docs", kind === "page"],
    ["playground.html", "Playground", kind === "playground"],
  ] as const;
  const list = links.map(([path, label, isCurrent]) => `<a href="${to(path)}"${isCurrent ? current(url === path) : ""}>${label}</a>`);
  const menuButton =
    kind === "playground"
      ? ""
      : `<button type="button" class="menu-button" aria-expanded="false" aria-controls="menu"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 7h16M4 12h16M4 17h16"/></svg><span>Menu</span></button>`;
  return `<header class="top">
${menuButton}
<a class="brand" href="${to("index.html")}"${kind === "home" ? current(true) : ""}>${mark}<span>Edgewire</span></a>
<nav class="links" aria-label="Site">${list.join("")}</nav>
<button type="button" class="search-button" aria-haspopup="dialog" aria-keyshortcuts="Control+K /" hidden><svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="11" cy="11" r="6"/><path d="m20 20-4.5-4.5"/></svg><span>Search</span><kbd aria-hidden="true">Ctrl K</kbd></button>
<button type="button" class="theme-button" aria-label="Dark colours" aria-pressed="false" hidden><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M20 14.5A8 8 0 0 1 9.500 4 8 8 0 1 0 20 14.500Z"/></svg></button>
</header>`;
}

function current(isPage: boolean): string {
  return isPage ? ' aria-current="page"' : ' aria-current="true"';
}

function menu({ url, shelves }: Frame, to: To): string {
  const item = ({ url: path, title }: Page, group: string): string =>
    `<li><a href="${to(path)}"${path === url ? current(true) : ""}>${escape(within(group, title))}</a></li>`;
  const isFirstPage = url === "index.html";
  const lists = shelves.map(({ name, groups }, index) => {
    const inside = groups.map(({ name: group, pages }) => {
      const list = `<ul>${pages.map((page) => item(page, group)).join("")}</ul>`;
      return group === "" ? list : `<p class="group">${escape(group)}</p>${list}`;
    });
    const isOpen = isFirstPage ? index === 0 : groups.some(({ pages }) => pages.some((page) => page.url === url));
    return `<details${isOpen ? " open" : ""}><summary>${escape(name)}</summary>${inside.join("")}</details>`;
  });
  return `<nav id="menu" class="menu" aria-label="Pages">\n${lists.join("\n")}\n</nav>`;
}

/** A title below its group's name, which it does not repeat: "On Node" below "Getting started". */
function within(group: string, title: string): string {
  if (group === "" || !title.startsWith(`${group} `)) return title;
  const rest = title.slice(group.length + 1);
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

function contents(headings: readonly Heading[]): string {
  const shown = headings.filter(({ level }) => level === 2 || level === 3);
  if (shown.length < 2) return "";
  const items = shown.map(({ level, id, text }) => `<li class="level-${level}"><a href="#${id}">${escape(text)}</a></li>`);
  return `<nav class="contents" aria-label="On this page"><p>On this page</p><ul>${items.join("")}</ul></nav>`;
}

/** The pages before and after it in the menu. */
function neighbours({ url, shelves }: Frame, to: To): string {
  const pages = shelves.flatMap(({ groups }) => groups.flatMap((group) => group.pages));
  const index = pages.findIndex((page) => page.url === url);
  if (index < 0) return "";
  const link = (page: Page | undefined, label: string, side: string): string =>
    page === undefined ? "" : `<a class="${side}" href="${to(page.url)}"><small>${label}</small>${escape(page.title)}</a>`;
  const [before, after] = [link(pages[index - 1], "Previous", "before"), link(pages[index + 1], "Next", "after")];
  return `<nav class="neighbours" aria-label="Previous and next page">${before}${after}</nav>`;
}

const search = `<dialog class="search" aria-label="Search">
<input type="search" role="combobox" aria-label="Search the documentation" aria-expanded="false" aria-controls="results" aria-autocomplete="list" autocomplete="off" spellcheck="false" placeholder="Search the documentation">
<ul id="results" role="listbox" aria-label="Results"></ul>
<p class="found" role="status"></p>
</dialog>`;
