/** Colours code when the site is built, so that a page loads nothing for it. */
import highlighter from "highlight.js/lib/common";
import apache from "highlight.js/lib/languages/apache";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import nginx from "highlight.js/lib/languages/nginx";

highlighter.registerLanguage("apache", apache);
highlighter.registerLanguage("dockerfile", dockerfile);
highlighter.registerLanguage("nginx", nginx);

/** By the ends of files' names and the names that blocks of code give, where highlight.js has another. */
const names: Readonly<Record<string, string>> = { jsonc: "json", toml: "ini", svelte: "html", vue: "html", mts: "ts", service: "ini" };

/** The code as HTML; plain text if the language is unknown. */
export function highlight(code: string, language: string): string {
  const name = names[language] ?? language;
  return highlighter.getLanguage(name) === undefined ? escape(code) : highlighter.highlight(code, { language: name }).value;
}

export function escape(text: string): string {
  return text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
}
