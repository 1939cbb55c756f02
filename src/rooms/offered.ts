/**
 * The positions that clients offered when they came back, until a subscription uses them. In memory only: after an eviction all of a history is
 * sent, and the client drops what it has.
 */
import { readOffer } from "../protocol/positions.ts";

export class OfferedPositions {
  /** Read when the first of them is asked for: clients choose what they offer, and most connections never ask. */
  readonly #offers = new WeakMap<object, string | Map<string, string>>();

  add(connection: object, offer: string): void {
    this.#offers.set(connection, offer);
  }

  of(connection: object, topic: string): string | undefined {
    const offer = this.#offers.get(connection);
    if (typeof offer !== "string") return offer?.get(topic);
    const positions = readOffer(offer);
    this.#offers.set(connection, positions);
    return positions.get(topic);
  }

  /** The subscription succeeded: the next one begins anew. */
  used(connection: object, topic: string): void {
    const offer = this.#offers.get(connection);
    if (typeof offer === "object" && offer.delete(topic) && offer.size === 0) this.#offers.delete(connection);
  }
}
