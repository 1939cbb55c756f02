/** The conversation: messages, pictures and notes, oldest first. It stays scrolled to the end unless the user has scrolled up. */
import { disc, find, make } from "./dom.ts";
import { pictureButton } from "./viewer.ts";
import type { Person } from "../messages.ts";
import type { Receipt } from "./room.ts";

/** Older entries are removed, which frees the memory of their pictures. */
const mostEntries = 500;
/** Milliseconds within which consecutive messages of one person share one name. */
const sameBreath = 3 * 60_000;
/** Distance from the end, in pixels, that still counts as the end. */
const nearEnd = 64;

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const log = find("log", HTMLElement);
const list = find("entries", HTMLOListElement);
const jump = find("jump", HTMLButtonElement);
const jumpText = find("jump-text", HTMLElement);

const urls = new WeakMap<Element, string>();
let last: { who: string; at: number } | undefined;
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

/** A line about the room: someone joined or left, or an announcement. */
export function addNote(text: string, kind: "note" | "announcement" = "note", person?: string): void {
  last = undefined;
  const words = person === undefined ? [text] : [make("bdi", {}, person), ` ${text}`];
  append(make("li", { class: kind }, make("p", { dir: "auto" }, ...words)), kind === "announcement");
}

/** @param at when it was said (milliseconds since 1970). Default: now. */
export function addTheirs(from: Person, content: string | Blob, at?: number): void {
  append(entry("theirs", from.name, from.id, content, at), true);
}

/** Adds the user's own message, and returns a function that sets its status. `again` is called if the user wants to resend it. */
export function addMine(name: string, content: string | Blob, again: () => boolean): Receipt {
  const element = entry("mine", name, "", content);
  const fate = make("p", { class: "fate" }, "Sending…");
  element.querySelector(".body")?.append(fate);
  append(element, false);
  toEnd();
  return {
    sent() {
      element.dataset["fate"] = "sent";
      fate.replaceChildren("Sent");
    },
    failed(what, why) {
      element.dataset["fate"] = "failed";
      const button = make("button", { type: "button", class: "link" }, "Send again");
      button.addEventListener("click", () => again() && remove(element));
      fate.replaceChildren(make("strong", {}, what), ` ${why} `, button);
    },
  };
}

export function clear(): void {
  while (list.firstElementChild !== null) remove(list.firstElementChild);
  last = undefined;
  showUnread(0);
}

function entry(side: "mine" | "theirs", name: string, id: string, content: string | Blob, at: number = Date.now()): HTMLLIElement {
  const follows = last !== undefined && last.who === id && at - last.at < sameBreath;
  last = { who: id, at };
  const who = side === "mine" ? "You" : name;
  const body = make("div", { class: "body" }, make("p", { class: follows ? "who hidden" : "who" }, make("bdi", {}, who), " ", time(at)));
  const element = make("li", { class: `message ${side}${follows ? " follows" : ""}` }, ...(side === "theirs" ? [disc(name)] : []), body);
  if (typeof content === "string") body.append(make("p", { class: "bubble", dir: "auto" }, ...withLinks(content)));
  else {
    const url = URL.createObjectURL(content);
    urls.set(element, url);
    body.append(pictureButton(url, side === "mine" ? "Picture from you" : `Picture from ${name}`));
  }
  return element;
}

function time(at: number): HTMLTimeElement {
  return make("time", { datetime: new Date(at).toISOString() }, clock.format(at));
}

/** The text, with web addresses as links. */
function withLinks(text: string): (Node | string)[] {
  return text
    .split(/(https?:\/\/[^\s<>"']*[^\s<>"'.,:;!?)\]])/u)
    .map((part, index) =>
      index % 2 === 0 ? part : make("a", { href: part, target: "_blank", rel: "noopener noreferrer nofollow" }, part),
    );
}

function append(element: HTMLLIElement, counts: boolean): void {
  list.append(element);
  if (list.children.length > mostEntries && list.firstElementChild !== null) remove(list.firstElementChild);
  if (atEnd) toEnd();
  else if (counts) showUnread(unread + 1);
}

function remove(element: Element): void {
  const url = urls.get(element);
  if (url !== undefined) URL.revokeObjectURL(url);
  element.remove();
}

function toEnd(): void {
  log.scrollTop = log.scrollHeight;
  atEnd = true;
  showUnread(0);
}

function showUnread(count: number): void {
  unread = count;
  jump.hidden = count === 0;
  jumpText.textContent = count === 1 ? "1 new message" : `${count} new messages`;
}
