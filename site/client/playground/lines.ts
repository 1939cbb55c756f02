/** A list of lines, the newest last and in sight, unless its reader has scrolled up. */
import { make } from "../page/dom.ts";

/** More are forgotten. */
const most = 300;

export class Lines {
  readonly #list: HTMLElement;

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  add(kind: string, text: string): void {
    const list = this.#list;
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 30;
    list.append(make("p", { class: kind, text }));
    while (list.childElementCount > most) list.firstElementChild?.remove();
    if (isAtEnd) list.scrollTop = list.scrollHeight;
  }

  clear(): void {
    this.#list.replaceChildren();
  }
}
