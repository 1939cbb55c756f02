/** What can be told to fail in a Durable Object: the same in a fake one and in a real one. No runtime's globals. */
export const faulty = [
  "kv.get",
  "kv.put",
  "kv.delete",
  "kv.list",
  "getAlarm",
  "setAlarm",
  "deleteAlarm",
  "sync",
  "serializeAttachment",
  "getWebSocketAutoResponseTimestamp",
  "waitUntil",
] as const;
export type Faulty = (typeof faulty)[number];

export interface Fault {
  readonly what: Faulty;
  /** Calls that succeed before. */
  readonly skip: number;
  readonly times: number;
}

export class Faults {
  readonly #armed = new Map<Faulty, { skip: number; times: number }>();
  /** How many there have been. */
  count = 0;
  /** What has failed in this life. */
  readonly met = new Set<Faulty>();

  arm({ what, skip, times }: Fault): void {
    this.#armed.set(what, { skip, times });
  }

  clear(): void {
    this.#armed.clear();
  }

  /** @throws Error if it is its turn to fail. */
  check(what: Faulty): void {
    const armed = this.#armed.get(what);
    if (armed === undefined || armed.skip-- > 0) return;
    if (--armed.times <= 0) this.#armed.delete(what);
    this.count++;
    this.met.add(what);
    throw new Error(`${what} is broken`);
  }
}
