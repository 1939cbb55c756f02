/** The search: an index that the page makes itself, of one file, when it is opened first. */
import MiniSearch from "minisearch";
import type { SearchResult } from "minisearch";
import { find, make } from "./dom.ts";
import { excerpt } from "./excerpt.ts";

interface Found {
  readonly url: string;
  readonly title: string;
  readonly sections: readonly { readonly heading: string; readonly id: string; readonly text: string }[];
}

interface Entry {
  readonly id: number;
  readonly url: string;
  readonly title: string;
  readonly heading: string;
  readonly text: string;
}

const most = 20;

export function searchDialog(): void {
  new Search(find("dialog.search")).listen(find(".search-button"));
}

class Search {
  readonly #dialog: HTMLDialogElement;
  readonly #input: HTMLInputElement;
  readonly #list: HTMLElement;
  readonly #status: HTMLElement;
  readonly #root = document.body.dataset["root"] ?? "";
  #entries: readonly Entry[] = [];
  #index: Promise<MiniSearch<Entry>> | undefined;
  #chosen = -1;

  constructor(dialog: HTMLDialogElement) {
    this.#dialog = dialog;
    this.#input = find("input", dialog);
    this.#list = find("ul", dialog);
    this.#status = find(".found", dialog);
  }

  listen(button: HTMLButtonElement): void {
    const dialog = this.#dialog;
    button.hidden = false;
    button.addEventListener("click", () => this.#open());
    document.addEventListener("keydown", (event) => this.#shortcut(event));
    this.#input.addEventListener("input", () => void this.#search());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    // A click beside it closes it.
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
    this.#list.addEventListener("click", ({ target }) => this.#go((target as Element).closest("li")));
  }

  #open(): void {
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#input.select();
    void this.#search();
  }

  #shortcut(event: KeyboardEvent): void {
    const isTyping =
      event.target instanceof HTMLElement && event.target.closest("input, textarea, select, [contenteditable=true]") !== null;
    const isSlash = event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!isSlash && !(event.key === "k" && (event.ctrlKey || event.metaKey))) return;
    event.preventDefault();
    this.#open();
  }

  #key(event: KeyboardEvent): void {
    const options = this.#list.children;
    if (event.key === "ArrowDown") this.#choose((this.#chosen + 1) % Math.max(1, options.length));
    else if (event.key === "ArrowUp") this.#choose((this.#chosen + options.length - 1) % Math.max(1, options.length));
    else if (event.key === "Enter") this.#go(options[this.#chosen]);
    else return;
    event.preventDefault();
  }

  #choose(index: number): void {
    this.#chosen = index;
    for (const [at, option] of [...this.#list.children].entries()) option.setAttribute("aria-selected", String(at === index));
    const option = this.#list.children[index];
    option?.scrollIntoView({ block: "nearest" });
    if (option === undefined) this.#input.removeAttribute("aria-activedescendant");
    else this.#input.setAttribute("aria-activedescendant", option.id);
  }

  async #search(): Promise<void> {
    const query = this.#input.value.trim();
    try {
      const index = await (this.#index ??= this.#load());
      if (query === this.#input.value.trim()) this.#show(query === "" ? [] : index.search(query), query);
    } catch (error) {
      this.#index = undefined;
      this.#status.textContent = `The search could not be loaded: ${String(error)}`;
    }
  }

  async #load(): Promise<MiniSearch<Entry>> {
    const response = await fetch(`${this.#root}search.json`);
    if (!response.ok) throw new Error(String(response.status));
    const pages = (await response.json()) as readonly Found[];
    this.#entries = pages
      .flatMap(({ url, title, sections }) =>
        sections.map(({ heading, id, text }) => ({ url: id === "" ? url : `${url}#${id}`, title, heading, text })),
      )
      .map((entry, id) => ({ id, ...entry }));
    const index = new MiniSearch<Entry>({
      fields: ["title", "heading", "text"],
      searchOptions: { prefix: true, fuzzy: (term) => (term.length > 4 ? 0.2 : 0), combineWith: "AND", boost: { title: 4, heading: 3 } },
    });
    index.addAll(this.#entries);
    return index;
  }

  #show(results: readonly SearchResult[], query: string): void {
    const shown = results.slice(0, most);
    this.#list.replaceChildren(...shown.map((result, at) => this.#option(result, at)));
    this.#input.setAttribute("aria-expanded", String(shown.length > 0));
    this.#choose(shown.length > 0 ? 0 : -1);
    const count = results.length > most ? `The best ${most} of ${results.length} results` : `${results.length} results`;
    this.#status.textContent = query === "" ? "" : results.length === 0 ? `Nothing found for “${query}”` : count;
  }

  #option({ id, terms }: SearchResult, at: number): HTMLElement {
    const { url, title, heading, text } = this.#entries[Number(id)] as Entry;
    const place = heading === title ? title : `${title} › ${heading}`;
    const attributes = { role: "option", id: `result-${at}`, "aria-selected": "false", "data-url": this.#root + url };
    return make("li", attributes, make("strong", { text: place }), make("span", {}, ...excerpt(text, terms)));
  }

  #go(option: Element | null | undefined): void {
    if (!(option instanceof HTMLElement)) return;
    this.#dialog.close();
    location.assign(option.dataset["url"] ?? "");
  }
}
