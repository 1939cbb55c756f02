/** The first page: README.md, whose title and first sentences become its head. */
import { relative } from "./links.ts";
import type { Rendered } from "./markdown.ts";
import type { Shelf } from "./pages.ts";

export function home({ html, page }: Rendered, shelves: readonly Shelf[], play: string): string {
  const [, title = "", lead = "", rest = ""] = /^<h1[^>]*>([\s\S]*?)<\/h1>\s*<p>([\s\S]*?)<\/p>([\s\S]*)$/.exec(html) ?? [];
  if (title === "") throw new Error(`${page.source} must begin with a title and a paragraph`);
  const first = shelves[0]?.groups.flatMap(({ pages }) => pages)[0]?.url ?? "contents.html";
  return `<div class="hero">
<h1>${title}</h1>
<p class="lead">${lead}</p>
<p class="actions"><a class="button strong" href="${relative(page.url, first)}">Get started</a><a class="button" href="${play}">Try it in the playground</a></p>
</div>
<article>
${rest}
</article>`;
}
