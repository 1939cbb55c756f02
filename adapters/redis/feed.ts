/** Who hears which channel: rooms of several servers in one process may hear the same. */
import type { Heard, Subscriptions } from "./connection.ts";
import type { Deadlines } from "./deadlines.ts";

/** What belongs together: it is subscribed and cut together. */
export interface Channels {
  readonly channels: ReadonlyMap<string, (bytes: Uint8Array) => void>;
  /** Something may have been missed, and the connection is there again. */
  cut(): void;
}

export class Feed implements Heard {
  readonly #subscriptions: () => Subscriptions;
  readonly #deadlines: Deadlines;
  /** By channel. */
  readonly #heard = new Map<string, Set<Channels>>();
  #isCut = false;

  constructor(subscriptions: () => Subscriptions, deadlines: Deadlines) {
    this.#subscriptions = subscriptions;
    this.#deadlines = deadlines;
  }

  async subscribe(one: Channels): Promise<void> {
    for (const channel of one.channels.keys()) this.#heard.set(channel, (this.#heard.get(channel) ?? new Set()).add(one));
    const subscriptions = this.#subscriptions();
    await this.#deadlines.keep(subscriptions, () => subscriptions.subscribe([...one.channels.keys()]));
  }

  /** At once nothing of it is heard any more. */
  async unsubscribe(one: Channels): Promise<void> {
    const subscriptions = this.#subscriptions();
    const unheard = [...one.channels.keys()].filter((channel) => this.#drop(channel, one));
    if (unheard.length > 0) await this.#deadlines.keep(subscriptions, () => subscriptions.unsubscribe(unheard));
  }

  /** Whether nobody hears the channel any more. */
  #drop(channel: string, one: Channels): boolean {
    const others = this.#heard.get(channel);
    others?.delete(one);
    if (others?.size !== 0) return false;
    return this.#heard.delete(channel);
  }

  message(channel: string, bytes: Uint8Array): void {
    for (const { channels } of this.#heard.get(channel) ?? []) channels.get(channel)?.(bytes);
  }

  /** Clients tell one cut in several ways at once. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    queueMicrotask(() => {
      this.#isCut = false;
      for (const one of new Set([...this.#heard.values()].flatMap((all) => [...all]))) one.cut();
    });
  }
}
