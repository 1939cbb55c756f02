/** DOM helpers: they find elements of index.html and create others. Strings always become text, never HTML. */

/** Returns the element with this id. @throws Error if it is missing or of another class. */
export function find<T extends Element>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`index.html has no ${type.name} with the id "${id}"`);
  return element;
}

/** Creates an element with attributes and children; strings become text nodes. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A person's avatar: the first character of the name, in one of eight colors derived from the name. */
export function disc(name: string): HTMLElement {
  let hash = 0;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x9e3779b1);
  const [initial] = new Intl.Segmenter().segment(name.toLocaleUpperCase());
  return make("span", { class: "disc", "data-colour": String(hash >>> 29), "aria-hidden": "true" }, initial?.segment ?? "?");
}

/** "Ada, Grace and 3 others": at most so many names, each in its own direction. */
export function listNames(names: readonly string[], most: number = 3): (Node | string)[] {
  const others = names.length - most;
  const items = [...names.slice(0, most), ...(others > 0 ? [`${others} ${others === 1 ? "other" : "others"}`] : [])];
  const parts = new Intl.ListFormat("en").formatToParts(items);
  return parts.map(({ type, value }) => (type === "element" ? make("bdi", {}, value) : value));
}

/** Announces a text to screen readers. */
export function say(text: string): void {
  find("say", HTMLElement).textContent = text;
}
