/**
 * The conversation: what everyone sees, in the order of the room's log, with notes in between; below it the lines of the user's own that are on
 * their way. Each takes its place when it arrives.
 */
import { make } from "./dom.ts";
import { group, makeLine, removeLine, setTime } from "./line.ts";
import { grown, list, toEnd } from "./scroll.ts";
import { day } from "./times.ts";
import type { Line } from "./room.ts";

/** Older entries are removed. */
const mostEntries = 500;
/** The user's own lines have no author's id. */
const mine = "";

let lastDay = "";
let isOnline = false;

/** A line about the room: someone joined or left, or an announcement. */
export function addNote(text: string, kind: "note" | "announcement" = "note", person?: string): void {
  const words = person === undefined ? [text] : [make("bdi", {}, person), ` ${text}`];
  place(make("li", { class: kind }, make("p", { dir: "auto" }, ...words)));
  grown(kind === "announcement");
}

/** Adds a line, or gives the user's own its place. Returns false if it had one already. */
export function addLine({ line, from, content, at }: Line, isMine: boolean): boolean {
  const who = isMine ? mine : from.id;
  const known = findLine(who, line);
  if (known !== undefined && !isOnItsWay(known)) return false;
  const element = known ?? makeLine(isMine ? undefined : from.name, content);
  Object.assign(element.dataset, { who, line });
  settle(element, at);
  grown(!isMine);
  return true;
}

/** Shows a line of the user's own that is on its way. `again` is called if the user wants to send it once more. */
export function addPending(line: string, content: string | Blob, again: () => void): void {
  const element = findLine(mine, line) ?? makeLine(undefined, content);
  Object.assign(element.dataset, { who: mine, line, fate: "pending" });
  element.querySelector(".fate")?.remove();
  const button = make("button", { type: "button", class: "link", hidden: "" }, "Send again");
  button.addEventListener("click", again);
  element.querySelector(".body")?.append(make("p", { class: "fate" }, make("span", {}, fateOf()), " ", button));
  setTime(element, Date.now());
  place(element);
  toEnd();
}

/** What is on its way waits for a connection, or does not. */
export function setOnline(online: boolean): void {
  isOnline = online;
  for (const label of Array.from(list.querySelectorAll('[data-fate="pending"] .fate span'))) label.textContent = fateOf();
}

function fateOf(): string {
  return isOnline ? "Sending…" : "Waiting to be sent";
}

/** Gives a picture of the user's own its place: everyone else gets it now. */
export function confirm(line: string): void {
  const element = findLine(mine, line);
  if (element !== undefined && isOnItsWay(element)) settle(element, Date.now());
}

/** A line of the user's own was not sent, or not confirmed: `what` happened, and why. */
export function setFailed(line: string, what: string, why: string): void {
  const element = findLine(mine, line);
  // Its answer was lost, but it has arrived.
  if (element === undefined || !isOnItsWay(element)) return;
  element.dataset["fate"] = "failed";
  element.querySelector(".fate span")?.replaceChildren(make("strong", {}, what), ` ${why}`);
  element.querySelector(".fate button")?.removeAttribute("hidden");
  place(element);
}

export function clear(): void {
  for (const element of Array.from(list.children)) removeLine(element);
  lastDay = "";
  toEnd();
}

function settle(element: HTMLLIElement, at: number): void {
  const today = day(at);
  if (today !== lastDay && (lastDay !== "" || today !== day(Date.now()))) place(make("li", { class: "note" }, make("p", {}, today)));
  lastDay = today;
  if (element.dataset["fate"] !== undefined) element.dataset["fate"] = "sent";
  element.querySelector(".fate")?.replaceChildren("Sent");
  setTime(element, at);
  place(element);
}

/** Moves it to the end; what is on its way stays below. */
function place(element: HTMLLIElement): void {
  const after = element.nextElementSibling;
  const next = element.dataset["fate"] === "pending" ? null : list.querySelector('[data-fate="pending"]');
  if (!element.isConnected || after !== next) list.insertBefore(element, next);
  for (const each of [after, element, element.nextElementSibling]) group(each);
  if (list.children.length > mostEntries && list.firstElementChild !== null) removeLine(list.firstElementChild);
}

function findLine(who: string, line: string): HTMLLIElement | undefined {
  const isIt = (each: Element): each is HTMLLIElement =>
    each instanceof HTMLLIElement && each.dataset["who"] === who && each.dataset["line"] === line;
  return Array.from(list.children).find(isIt);
}

function isOnItsWay({ dataset }: HTMLElement): boolean {
  return dataset["fate"] === "pending" || dataset["fate"] === "failed";
}
