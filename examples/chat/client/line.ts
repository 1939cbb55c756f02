/** The element of one line: who said it, when, and a text or a picture. */
import { disc, make } from "./dom.ts";
import { clockTime, exactTime } from "./times.ts";
import { pictureButton } from "./viewer.ts";

/** Milliseconds in which consecutive lines of one person share one name. */
const sameBreath = 4 * 60_000;

const urls = new WeakMap<Element, string>();

/** @param name undefined for the user's own. */
export function makeLine(name: string | undefined, content: string | Blob): HTMLLIElement {
  const who = make("p", { class: "who" }, make("bdi", {}, name ?? "You"), " ", make("time"));
  const body = make("div", { class: "body" }, who);
  const element = make(
    "li",
    { class: name === undefined ? "message mine" : "message theirs" },
    ...(name === undefined ? [] : [disc(name)]),
    body,
  );
  if (typeof content === "string") body.append(make("p", { class: "bubble", dir: "auto" }, ...withLinks(content)));
  else {
    const url = URL.createObjectURL(content);
    urls.set(element, url);
    body.append(pictureButton(url, `Picture from ${name ?? "you"}`));
  }
  return element;
}

/** @param at when it was said (milliseconds since 1970). */
export function setTime(element: HTMLLIElement, at: number): void {
  element.dataset["at"] = String(at);
  const time = element.querySelector("time");
  if (time === null) return;
  time.dateTime = new Date(at).toISOString();
  time.textContent = clockTime(at);
  element.querySelector(".body")?.setAttribute("title", exactTime(at));
}

/** Hides the name of a line that follows one of the same person. */
export function group(element: Element | null): void {
  if (!(element instanceof HTMLLIElement) || element.dataset["at"] === undefined) return;
  const before = element.previousElementSibling instanceof HTMLLIElement ? element.previousElementSibling.dataset : {};
  const follows = before["who"] === element.dataset["who"] && Number(element.dataset["at"]) - Number(before["since"]) < sameBreath;
  element.dataset["since"] = follows ? (before["since"] ?? "") : element.dataset["at"];
  element.classList.toggle("follows", follows);
  element.querySelector(".who")?.classList.toggle("hidden", follows);
}

/** Removes it, and frees the memory of its picture. */
export function removeLine(element: Element): void {
  const url = urls.get(element);
  if (url !== undefined) URL.revokeObjectURL(url);
  element.remove();
}

/** The text, with web addresses as links. */
function withLinks(text: string): (Node | string)[] {
  return text
    .split(/(https?:\/\/[^\s<>"']*[^\s<>"'.,:;!?)\]])/u)
    .map((part, index) =>
      index % 2 === 0 ? part : make("a", { href: part, target: "_blank", rel: "noopener noreferrer nofollow" }, part),
    );
}
