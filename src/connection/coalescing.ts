/** The newest message of each topic for a slow consumer. Created when the first message has to wait. */
import { sizeAtMost } from "../values/data.ts";
import { ownText } from "../values/text.ts";
import type { Sendable } from "../api/connection.ts";
import type { Prepared } from "../ports.ts";

export class Coalescing {
  /** Topics in the order in which they began to wait: a topic with constant messages takes its turn like the others. */
  readonly #messages = new Map<string, Sendable | Prepared>();
  /** The total size. */
  bytes = 0;

  get size(): number {
    return this.#messages.size;
  }

  keep(topic: string, data: Sendable | Prepared): void {
    const before = this.#messages.get(topic);
    this.bytes += sizeAtMost(data) - sizeOf(before);
    this.#messages.set(before === undefined ? ownText(topic) : topic, data);
  }

  forget(topic: string): void {
    this.bytes -= sizeOf(this.#messages.get(topic));
    this.#messages.delete(topic);
  }

  /** Hands over one topic after another until `send` returns false. */
  flush(send: (data: Sendable | Prepared) => boolean): void {
    for (const [topic, data] of this.#messages) {
      this.forget(topic);
      if (!send(data)) return;
    }
  }
}

function sizeOf(data: Sendable | Prepared | undefined): number {
  return data === undefined ? 0 : sizeAtMost(data);
}
