/** The part of a text around the first word that was found, with what was found marked. */
import { make } from "./dom.ts";

const before = 40;
const length = 160;

export function excerpt(text: string, terms: readonly string[]): (Node | string)[] {
  const words = terms.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).toSorted((a, b) => b.length - a.length);
  if (words.length === 0) return [text.slice(0, length)];
  const pattern = new RegExp(`(${words.join("|")})`, "gi");
  const first = Math.max(0, text.search(pattern) - before);
  // From the beginning of a word.
  const start = first === 0 ? 0 : text.indexOf(" ", first) + 1;
  const part = text.slice(start, start + length);
  const pieces = part.split(pattern).map((piece, at) => (at % 2 === 1 ? make("mark", { text: piece }) : piece));
  return [start > 0 ? "… " : "", ...pieces, start + length < text.length ? " …" : ""];
}
