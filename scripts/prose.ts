/**
 * `npm run lint`: pages for users, and what the reference takes from the source, have no sentence over 30 words. No page or source file has a phrase
 * that reads as if translated. What to write in place of a phrase stands beside it.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const most = 30;
const forUsers = ["README.md", "docs/{guide,recipes,deploy,frameworks,migrate}/**/*.md"];
/** What their doc comments say is in the reference. */
const documented = ["src/{api,client,messages}/*.ts", "adapters/*/index.ts"];
const everywhere = ["*.md", "docs/**/*.md", "{src,adapters}/**/*.ts", "create-edgewire/**/*.{md,js,ts}"];
const ignored = /(?:^|[/\\])node_modules(?:[/\\]|$)/;

const phrases: readonly [phrase: RegExp, instead: string][] = [
  [/\b(?:that|which) (?:is|are) none\b/i, 'say what it lacks: "an invalid limit"'],
  [/\bwhat (?:is|are) no\b(?!t)/i, 'say what it is: "if it is not a valid date", "anything else"'],
  [/\b(?:told|tells?|telling) (?:to )?(?:nobody|no ?one)\b|\bnobody is told\b/i, '"does not report it", "without notice"'],
  [/\blet(?:s|ting)? go\b/i, '"closes", "disconnects", "releases"'],
  [/\b(?:is|are|was|were|be|been) ended\b/i, '"is closed", "is disconnected", "ends"'],
  [/\bwho (?:is|are|was|were) neither\b/i, '"those that did neither"'],
  [/\bbeside the bare\b/i, '"compared with the bare"'],
  [/\bis an invoice\b/i, '"is billed"'],
  [/\bmade for its first\b/i, '"created on the first"'],
  [/^#+ (?:The end|The client that comes back|Seeing what happens)$/i, '"Graceful shutdown", "Reconnecting client", "Observability"'],
];

interface Part {
  readonly line: number;
  readonly text: string;
}

/** What is wrong with the pages and sources of a checkout, as lines for a reader. */
export function faults(root: string): string[] {
  const read = (file: string): string => readFileSync(join(root, file), "utf8");
  const filesOf = (patterns: readonly string[]): string[] =>
    globSync(patterns, { cwd: root, exclude: (name) => ignored.test(name) }).toSorted();
  const long = filesOf(forUsers).flatMap((file) => longSentences(read(file)).map((fault) => `${file}:${fault}`));
  const documentation = filesOf(documented).flatMap((file) => longSentences(docCommentsOf(read(file))).map((fault) => `${file}:${fault}`));
  const odd = filesOf(everywhere).flatMap((file) => oddPhrases(read(file)).map((fault) => `${file}:${fault}`));
  return [...long, ...documentation, ...odd];
}

export function longSentences(page: string): string[] {
  return partsOf(page).flatMap(({ line, text }) =>
    text.split(/(?<=[.!?][)"'*_]*)\s+(?=[A-Z`*_"'([])/).flatMap((sentence) => {
      const words = sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
      return words > most ? [`${line}: a sentence of ${words} words, at most ${most} are allowed: ${sentence.trim().slice(0, 60)}…`] : [];
    }),
  );
}

export function oddPhrases(text: string): string[] {
  // A phrase may go over the end of a line, and there a comment has its star.
  const flat = text.replaceAll(/\n[ \t]*(?:\*|\/\/)(?= )/g, (found) => `\n${" ".repeat(found.length - 1)}`);
  return phrases.flatMap(([phrase, instead]) => {
    const spread = new RegExp(phrase.source.replaceAll(/(?<!\^#\+) /g, String.raw`\s+`), "gim");
    return Array.from(flat.matchAll(spread), ({ 0: found, index }) => {
      const line = flat.slice(0, index).split("\n").length;
      return `${line}: "${found.replaceAll(/\s+/g, " ")}". Write ${instead}`;
    });
  });
}

/** The doc comments of a source file as a page, each line where it was. A tag begins a paragraph. */
export function docCommentsOf(source: string): string {
  const outside = source.split(/\/\*\*[\s\S]*?\*\//g);
  const inside = Array.from(source.matchAll(/\/\*\*([\s\S]*?)\*\//g), ([, comment = ""]) => comment);
  const prose = inside.map((comment) => comment.replaceAll(/^[ \t]*\* ?/gm, "").replaceAll(/^@/gm, "- @"));
  return outside.map((code, index) => `${blank(code)}${prose[index] ?? ""}`).join("");
}

/** The paragraphs, list items, headings and cells of a page, each by itself, with code as a single word. */
function partsOf(page: string): Part[] {
  const plain = page
    .replaceAll(/^( *)```[\s\S]*?^\1```$/gm, blank)
    .replaceAll(/<!--[\s\S]*?-->/g, blank)
    .replaceAll(/`[^`]+`/g, (code) => `C${"\n".repeat(code.split("\n").length - 1)}`)
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/<[^>\n]+>/g, " ");
  const parts: { readonly line: number; text: string }[] = [];
  let last: { readonly line: number; text: string } | undefined;
  for (const [index, raw] of plain.split("\n").entries()) {
    const text = raw.trim();
    if (text.startsWith("|")) parts.push(...text.split("|").map((cell) => ({ line: index + 1, text: cell })));
    else if (last === undefined || /^(?:#|[-*] |\d+\. )/.test(text)) parts.push((last = { line: index + 1, text }));
    else last.text += ` ${text}`;
    if (text === "" || /^[|#]/.test(text)) last = undefined;
  }
  return parts;
}

function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, "");
}

if (import.meta.main) {
  const found = faults(join(import.meta.dirname, ".."));
  for (const fault of found) console.error(fault);
  if (found.length > 0) process.exitCode = 1;
}
