/** A room's values in memory, where the runtime has nothing that lasts longer. */
import type { Store } from "./types.ts";

export class MemoryStore implements Store {
  readonly #values = new Map<string, string>();

  get(key: string): string | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: string): void {
    this.#values.set(key, value);
  }

  delete(key: string): void {
    this.#values.delete(key);
  }
}
