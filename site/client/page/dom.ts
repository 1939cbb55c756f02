/** Finds and makes elements. */

/** @throws Error if there is none. */
export function find<T extends Element = HTMLElement>(selector: string, within: ParentNode = document): T {
  const found = within.querySelector<T>(selector);
  if (found === null) throw new Error(`the page has no ${selector}`);
  return found;
}

export interface Made {
  readonly class?: string;
  readonly text?: string;
  readonly [attribute: string]: string | undefined;
}

export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  { text, ...attributes }: Made = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(attribute, value);
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}
