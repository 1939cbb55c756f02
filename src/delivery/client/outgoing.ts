/**
 * What a client sends: numbered, kept until the server has stored its turn, and sent again after a return. At most so many are under way. A message
 * whose fate nobody knows is told, and never sent again by itself.
 */
import type { Data } from "../../api/connection.ts";
import type { ClientSendable } from "../../client/types.ts";

export type Fate = "acknowledged" | "uncertain" | "refused";

export interface Outgoing {
  /** As the application gave it. */
  readonly given: ClientSendable;
  /** What is sent; undefined until a Blob has been read. */
  data: Data | undefined;
  readonly size: number;
  /** Learns what has become of it: once. */
  readonly settle: (fate: Fate) => void;
}

/** Messages with their number, to be sent in this order. */
export type Numbered = readonly [number: number, data: Data];

/** The data of acknowledged messages that is kept, in case the storage turns out to have lost its end. */
const mostAcknowledged = 256;

export class OutgoingMessages {
  readonly #most: number;
  readonly #mostBytes: number;
  /** Not acknowledged, in order; the first has the number `#first`. */
  #waiting: Outgoing[] = [];
  #first = 1;
  #bytes = 0;
  /** Numbers up to this one were sent, on this socket or an earlier one of the session. */
  #sent = 0;
  /** Numbers up to this one were sent on this socket. */
  #under = 0;
  /** The last acknowledged ones. */
  #acknowledged: Outgoing[] = [];
  #maxInFlight = 0;

  constructor(most: number, mostBytes: number) {
    this.#most = most;
    this.#mostBytes = mostBytes;
  }

  /** Bytes that are not acknowledged. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** The last number that the server is known to have stored. */
  get acknowledgedNumber(): number {
    return this.#first - 1;
  }

  /** Keeps a message; false if there is no room for it. */
  add(message: Outgoing): boolean {
    if (this.#waiting.length >= this.#most || this.#bytes + message.size > this.#mostBytes) return false;
    this.#waiting.push(message);
    this.#bytes += message.size;
    return true;
  }

  /** The socket is lost: what was under way may have arrived or not. */
  lost(): void {
    this.#maxInFlight = 0;
  }

  /**
   * The server has said which session this is, and what it knows of the one that was named.
   * @param acknowledged undefined if nobody knows.
   * @returns messages of which nobody knows whether they were applied.
   */
  welcome(resumed: boolean, acknowledged: number | undefined, maxInFlight: number): readonly Outgoing[] {
    const uncertain: Outgoing[] = [];
    if (acknowledged !== undefined) this.acknowledge(acknowledged);
    if (!resumed) {
      const known = this.#first - 1;
      // The storage has lost its end: it no longer knows what it had acknowledged.
      if (acknowledged !== undefined && acknowledged < known)
        uncertain.push(...this.#acknowledged.slice(Math.max(0, this.#acknowledged.length - (known - acknowledged))));
      // Nobody knows how far the old session got: what was sent may have been applied.
      if (acknowledged === undefined && this.#sent >= this.#first) uncertain.push(...this.#take(this.#sent - this.#first + 1));
      this.#first = 1;
      this.#sent = 0;
      this.#acknowledged = [];
    }
    this.#under = this.#first - 1;
    this.#maxInFlight = maxInFlight;
    return uncertain;
  }

  /** All up to this number are stored. Returns false for a number that was not sent. */
  acknowledge(number: number): boolean {
    if (number > this.#sent) return false;
    for (const message of this.#take(number - this.#first + 1)) {
      this.#acknowledged.push(message);
      message.settle("acknowledged");
    }
    this.#acknowledged.splice(0, this.#acknowledged.length - mostAcknowledged);
    return true;
  }

  /** What may be sent now; it counts as sent. */
  *ready(): Generator<Numbered, void, undefined> {
    for (;;) {
      const number = this.#under + 1;
      const data = this.#waiting[number - this.#first]?.data;
      if (data === undefined || number - this.#first >= this.#maxInFlight) return;
      this.#under = number;
      this.#sent = Math.max(this.#sent, number);
      yield [number, data];
    }
  }

  /** No more will be sent. What was sent is uncertain, the rest is refused. */
  end(): { readonly uncertain: readonly Outgoing[]; readonly refused: readonly Outgoing[] } {
    const uncertain = this.#take(this.#sent - this.#first + 1);
    return { uncertain, refused: this.#take(this.#waiting.length) };
  }

  #take(count: number): readonly Outgoing[] {
    const taken = count > 0 ? this.#waiting.splice(0, count) : [];
    this.#first += taken.length;
    for (const { size } of taken) this.#bytes -= size;
    return taken;
  }
}
