/** Who listens to a client's messages. An EventTarget does not tell, and a message that nobody would get has to wait. */
import type { ListenOptions } from "../../src/values/listeners.ts";

export type AnyListener = ((event: Event) => void) | { handleEvent(event: Event): void } | null;

export class Audience {
  readonly #first: () => void;
  /** A function may listen twice: for capturing, and not. */
  #listeners: { readonly listener: AnyListener; readonly capture: boolean; readonly once: boolean }[] = [];

  /** @param first called when somebody begins to listen, and nobody did. */
  constructor(first: () => void) {
    this.#first = first;
  }

  get isEmpty(): boolean {
    return this.#listeners.length === 0;
  }

  add(listener: AnyListener | undefined, options: ListenOptions | undefined): void {
    if (listener === null || listener === undefined) return;
    const { once = false, signal } = Object(options) as Exclude<ListenOptions, boolean>;
    const capture = captures(options);
    if (signal?.aborted === true || this.#listeners.some((one) => one.listener === listener && one.capture === capture)) return;
    const wasEmpty = this.isEmpty;
    this.#listeners.push({ listener, capture, once });
    signal?.addEventListener("abort", () => this.delete(listener, capture));
    if (wasEmpty) this.#first();
  }

  delete(listener: AnyListener, capture: boolean): void {
    this.#listeners = this.#listeners.filter((one) => one.listener !== listener || one.capture !== capture);
  }

  /** A message goes to all of them. */
  told(): void {
    if (this.#listeners.some(({ once }) => once)) this.#listeners = this.#listeners.filter(({ once }) => !once);
  }
}

export function captures(options: ListenOptions | undefined): boolean {
  return typeof options === "object" ? options?.capture === true : options === true;
}
