/** Who is writing now. A person who writes says so every few seconds; who does not say it again has stopped. */
import { find, listNames } from "./dom.ts";
import type { Person } from "../messages.ts";

/** Milliseconds between two such messages of one's own. */
const every = 3_000;
/** Milliseconds that one is shown. */
const lasts = 5_000;
/** More are not counted. */
const most = 100;

const line = find("typing", HTMLElement);
const writing = new Map<string, { readonly name: string; readonly timer: ReturnType<typeof setTimeout> }>();
let lastTold = -every;

/** The user is writing: calls `tell` if it is time to say so. */
export function writes(tell: () => void): void {
  if (performance.now() - lastTold < every) return;
  lastTold = performance.now();
  tell();
}

/** The user has sent what they wrote: the next letter is news. */
export function written(): void {
  lastTold = -every;
}

export function showTyping({ id, name }: Person): void {
  if (writing.size >= most && !writing.has(id)) return;
  clearTimeout(writing.get(id)?.timer);
  writing.set(id, { name, timer: setTimeout(() => stopTyping(id), lasts) });
  show();
}

/** Without an id: all of them. */
export function stopTyping(id?: string): void {
  for (const each of id === undefined ? Array.from(writing.keys()) : [id]) {
    clearTimeout(writing.get(each)?.timer);
    writing.delete(each);
  }
  show();
}

function show(): void {
  const names = Array.from(writing.values(), ({ name }) => name);
  if (names.length === 0) line.replaceChildren();
  else line.replaceChildren(...listNames(names), names.length === 1 ? " is typing…" : " are typing…");
}
