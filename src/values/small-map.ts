/** Values by name, often just one: an object is one room, and a plain Worker's connection is alone. A map is created for the second. */
export class SmallMap<Value> {
  #name: string | undefined;
  #value: Value | undefined;
  #more: Map<string, Value> | undefined;

  get(name: string): Value | undefined {
    return this.#name === name ? this.#value : this.#more?.get(name);
  }

  set(name: string, value: Value): void {
    const free = this.#name === undefined && this.#more?.has(name) !== true;
    if (!free && this.#name !== name) {
      (this.#more ??= new Map()).set(name, value);
      return;
    }
    this.#name = name;
    this.#value = value;
  }

  delete(name: string): void {
    if (this.#name !== name) this.#more?.delete(name);
    else this.#name = this.#value = undefined;
  }

  /** In no particular order. */
  *keys(): Generator<string, void, undefined> {
    if (this.#name !== undefined) yield this.#name;
    if (this.#more !== undefined) yield* this.#more.keys();
  }

  /** In no particular order. A value deleted during the iteration does not appear. */
  *values(): Generator<Value, void, undefined> {
    if (this.#name !== undefined) yield this.#value as Value;
    if (this.#more !== undefined) yield* this.#more.values();
  }
}
