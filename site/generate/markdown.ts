/** A page of Markdown as HTML, with its headings, and what the search finds in it. */
import MarkdownIt from "markdown-it";
import { fence } from "./fence.ts";
import { escape } from "./highlight.ts";
import type { Links } from "./links.ts";
import type { Page } from "./pages.ts";

type Token = ReturnType<typeof markdown.parse>[number];

export interface Heading {
  readonly level: number;
  readonly text: string;
  readonly id: string;
}

/** What the search finds: a heading with the text below it. */
export interface Section {
  readonly heading: string;
  /** Without `#`; "" for the page's beginning. */
  readonly id: string;
  readonly text: string;
}

export interface Rendered {
  readonly page: Page;
  readonly html: string;
  readonly headings: readonly Heading[];
  readonly sections: readonly Section[];
}

/** A type, because markdown-it wants an index signature. */
type Environment = { readonly page: Page; readonly links: Links };

const markdown = new MarkdownIt({ html: true });
const { rules } = markdown.renderer;

rules["fence"] = (tokens, index, _options, env) => {
  const { info = "", content = "" } = tokens[index] ?? {};
  return fence(info, content, environment(env).page);
};
rules["link_open"] = (tokens, index, options, env, self) => {
  const token = tokens[index] as Token;
  const { page, links } = environment(env);
  token.attrSet("href", links.link(page, String(token.attrGet("href"))));
  return self.renderToken(tokens, index, options);
};
rules["image"] = (tokens, index, _options, env) => {
  const token = tokens[index] as Token;
  const { page, links } = environment(env);
  return `<img src="${escape(links.file(page, String(token.attrGet("src"))))}" alt="${escape(token.content)}" loading="lazy">`;
};
rules["html_block"] = rules["html_inline"] = (tokens, index, _options, env) => {
  const { page, links } = environment(env);
  return (tokens[index]?.content ?? "")
    .replace(/(<(?:img|source)\b[^>]*?\bsrc(?:set)?=")([^"]+)/g, (_, before: string, src: string) => before + links.file(page, src))
    .replace(/(<a\b[^>]*?\bhref=")([^"]+)/g, (_, before: string, href: string) => before + links.link(page, href));
};
rules["heading_close"] = (tokens, index) => {
  const opening = tokens[index - 2] as Token;
  const label = escape(`Link to “${textOf(tokens[index - 1])}”`);
  const anchor = opening.tag === "h1" ? "" : ` <a class="anchor" href="#${opening.attrGet("id")}" aria-label="${label}">#</a>`;
  return `${anchor}</${opening.tag}>\n`;
};

/** What `render` gives to the rules. */
function environment(env: unknown): Environment {
  return env as Environment;
}

export function render(page: Page, links: Links): Rendered {
  const env: Environment = { page, links };
  const tokens = markdown.parse(page.text, env);
  const headings = nameHeadings(tokens);
  const ids = [...page.text.matchAll(/<\w+[^>]*\b(?:id|name)="([^"]+)"/g)].map(([, id = ""]) => id);
  links.defines(page, new Set([...headings.map(({ id }) => id), ...ids]));
  return { page, headings, html: tables(markdown.renderer.render(tokens, markdown.options, env)), sections: sectionsOf(tokens, page) };
}

/** Gives headings the anchors that code hosts give them. */
function nameHeadings(tokens: readonly Token[]): readonly Heading[] {
  const used = new Map<string, number>();
  const headings: Heading[] = [];
  tokens.forEach((token, index) => {
    if (token.type !== "heading_open") return;
    const text = textOf(tokens[index + 1]);
    const slug = slugOf(text);
    const count = used.get(slug) ?? 0;
    used.set(slug, count + 1);
    const id = count === 0 ? slug : `${slug}-${count}`;
    token.attrSet("id", id);
    headings.push({ level: Number(token.tag.slice(1)), text, id });
  });
  return headings;
}

function slugOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
    .replaceAll(" ", "-");
}

function textOf(inline: Token | undefined): string {
  return (inline?.children ?? []).map(({ type, content }) => (type === "html_inline" ? "" : type === "softbreak" ? " " : content)).join("");
}

/** What an empty heading of a column says to a screen reader is nothing: such a cell is none, and such a row is left out. */
function tables(html: string): string {
  return html
    .replaceAll(/<thead>\s*<tr>\s*(?:<th[^>]*><\/th>\s*)+<\/tr>\s*<\/thead>/g, "")
    .replaceAll(/<th( [^>]*)?><\/th>/g, "<td$1></td>")
    .replaceAll("<table>", '<div class="scroll"><table>')
    .replaceAll("</table>", "</table></div>");
}

function sectionsOf(tokens: readonly Token[], page: Page): readonly Section[] {
  const sections: { heading: string; id: string; texts: string[] }[] = [{ heading: page.title, id: "", texts: [] }];
  tokens.forEach((token, index) => {
    if (token.type === "heading_open" && token.tag !== "h1")
      sections.push({ heading: textOf(tokens[index + 1]), id: String(token.attrGet("id")), texts: [] });
    else if (token.type === "inline" && tokens[index - 1]?.type !== "heading_open") sections.at(-1)?.texts.push(textOf(token));
    else if (token.type === "fence") sections.at(-1)?.texts.push(token.content);
  });
  return sections.map(({ heading, id, texts }) => ({ heading, id, text: texts.join(" ").replace(/\s+/g, " ") }));
}
