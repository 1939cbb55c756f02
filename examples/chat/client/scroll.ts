/** The list of the conversation stays scrolled to the end, unless the user has scrolled up: then a button counts what is new. */
import { find } from "./dom.ts";

/** Distance from the end, in pixels, that still counts as the end. */
const nearEnd = 64;

const log = find("log", HTMLElement);
const jump = find("jump", HTMLButtonElement);
const jumpText = find("jump-text", HTMLElement);

export const list: HTMLOListElement = find("entries", HTMLOListElement);

let atEnd = true;
let lastTop = 0;
let unread = 0;

// Only scrolling up leaves the end: a growing picture also moves the end, but without scrolling.
log.addEventListener("scroll", () => {
  const near = log.scrollHeight - log.scrollTop - log.clientHeight < nearEnd;
  if (near) showUnread(0);
  if (near || log.scrollTop < lastTop) atEnd = near;
  lastTop = log.scrollTop;
});
jump.addEventListener("click", () => {
  toEnd();
  log.focus();
});
// Loading pictures and on-screen keyboards change heights: stay at the end if we were there.
const resizes = new ResizeObserver(() => atEnd && toEnd());
resizes.observe(log);
resizes.observe(list);

/** The list has grown. @param counts whether by something that others said. */
export function grown(counts: boolean): void {
  if (atEnd) toEnd();
  else if (counts) showUnread(unread + 1);
}

export function toEnd(): void {
  log.scrollTop = log.scrollHeight;
  atEnd = true;
  showUnread(0);
}

function showUnread(count: number): void {
  unread = count;
  jump.hidden = count === 0;
  jumpText.textContent = count === 1 ? "1 new message" : `${count} new messages`;
}
