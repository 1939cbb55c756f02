/** A block of code: its file's name, a button that copies it, and a link to the playground where it can run there. */
import { runsInPlayground, shared } from "./examples.ts";
import { escape, highlight } from "./highlight.ts";
import { relative } from "./links.ts";
import type { Page } from "./pages.ts";

/** @param info the language, then attributes such as `file=server.ts`. */
export function fence(info: string, code: string, page: Page): string {
  const [language = "", ...attributes] = info.trim().split(/\s+/);
  const given = new Map(attributes.map((one) => one.split(/=(.*)/, 2) as [string, string]));
  const name = given.get("file") ?? "";
  const play = runsInPlayground(language, code)
    ? `<a class="play" href="${relative(page.url, "playground.html")}#${shared(code, given.get("path"))}">Open in playground</a>`
    : "";
  const label = escape(name === "" ? "Code" : name);
  return `<figure class="code"><figcaption><span>${escape(name || language)}</span>${play}<button type="button" class="copy" hidden>Copy</button></figcaption>
<pre aria-label="${label}"><code>${highlight(code, language)}</code></pre></figure>\n`;
}
