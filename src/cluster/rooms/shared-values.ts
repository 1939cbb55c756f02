/** A room's values on the backplane: `update` and `transaction` read, compute and write on the condition that nothing has changed meanwhile, or begin again. */
import { randomEpoch } from "../../history/random.ts";
import type { ChangedValues, ConditionalValues } from "../../rooms/storage.ts";
import type { BackplaneValues, ValueWrite } from "../values.ts";
import type { Asking } from "./asking.ts";

export class SharedValues implements ConditionalValues {
  readonly #values: BackplaneValues;
  readonly #asking: Asking;

  constructor(values: BackplaneValues, asking: Asking) {
    this.#values = values;
    this.#asking = asking;
  }

  async get(key: string): Promise<string | undefined> {
    const { value } = await this.#asking.ask(() => this.#values.get(key));
    return value?.text;
  }

  async set(key: string, value: string): Promise<void> {
    await this.#write({ changes: new Map([[key, value]]) });
  }

  async delete(key: string): Promise<boolean> {
    const { existed } = await this.#write({ changes: new Map([[key, undefined]]) });
    return existed.includes(key);
  }

  async list(range: Parameters<BackplaneValues["list"]>[0]): Promise<Iterable<readonly [key: string, value: string]>> {
    const { entries } = await this.#asking.ask(() => this.#values.list(range));
    return entries;
  }

  async clear(): Promise<void> {
    await this.#write({ clear: true, changes: new Map() });
  }

  async apply(changes: ReadonlyMap<string, string | undefined>): Promise<void> {
    await this.#write({ changes });
  }

  async change(key: string, compute: (before: string | undefined) => Promise<string | undefined>): Promise<void> {
    for (;;) {
      const { value } = await this.#asking.ask(() => this.#values.get(key));
      const after = await compute(value?.text);
      const { isWritten } = await this.#write({ changes: new Map([[key, after]]), expected: new Map([[key, value?.tag]]) });
      if (isWritten) return;
    }
  }

  async together(run: () => Promise<ChangedValues>): Promise<void> {
    for (;;) {
      const { version } = await this.#asking.ask(() => this.#values.list({ prefix: "", limit: 1 }));
      const changes = await run();
      // What it has read may have changed while it read, too.
      const { isWritten } = await this.#write({ changes, version });
      if (isWritten) return;
    }
  }

  #write(write: Omit<ValueWrite, "tag">): ReturnType<BackplaneValues["write"]> {
    const whole = { tag: randomEpoch(), ...write };
    return this.#asking.ask(() => this.#values.write(whole));
  }
}
