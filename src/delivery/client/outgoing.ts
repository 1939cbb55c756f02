/**
 * What a client sends: numbered, kept until the server has stored its turn, and sent again after a return. At most so many are under way. A number is used
 * for one message of a session, whatever happens. A message whose fate nobody knows is told, and never sent again by itself.
 */
import type { Data } from "../../api/connection.ts";
import type { ClientSendable } from "../../client/types.ts";

/**
 * - `"acknowledged"`: the server has stored what its hook did.
 * - `"uncertain"`: nobody knows whether it was applied. It is not sent again.
 * - `"refused"`: it was not sent.
 */
export type Fate = "acknowledged" | "uncertain" | "refused";

export interface Outgoing {
  /** As the application gave it. */
  readonly given: ClientSendable;
  /** What is sent: undefined until a Blob has been read; null if nothing can be, and only the number is sent. */
  data: Data | null | undefined;
  readonly size: number;
  /** Learns what has become of it. Only the first call counts. */
  readonly settle: (fate: Fate) => void;
}

/** Messages with their number, to be sent in this order. */
export type Numbered = readonly [number: number, data: Data | null];

/** The data of acknowledged messages that is kept, in case the storage turns out to have lost its end. */
const mostAcknowledged = 256;

/** In place of a message that an earlier page has sent, or another tab: this client only has its number. */
const nothing: Outgoing = { given: "", data: null, size: 0, settle() {} };

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

  /** The last number that the server is known to have stored. */
  get acknowledgedNumber(): number {
    return this.#first - 1;
  }

  /** The last number that was used. */
  get sentNumber(): number {
    return this.#sent;
  }

  /** Goes on with the numbers of an earlier page. */
  restore(acknowledged: number, sent: number): void {
    this.#first = acknowledged + 1;
    this.#sent = acknowledged;
    this.#use(sent);
  }

  /** Keeps a message; false if there is no room for it. */
  add(message: Outgoing): boolean {
    if (this.#waiting.length >= this.#most || this.#bytes + message.size > this.#mostBytes) return false;
    this.#waiting.push(message);
    this.#bytes += message.size;
    return true;
  }

  /**
   * The server has said which session this is, and what it knows of the one that was named.
   * @param acknowledged undefined if nobody knows.
   * @param received of a resumed session.
   * @returns messages of which nobody knows whether they were applied.
   */
  welcome(resumed: boolean, acknowledged: number | undefined, maxInFlight: number, received: number = 0): readonly Outgoing[] {
    const known = this.#first - 1;
    let uncertain: readonly Outgoing[] = [];
    if (acknowledged !== undefined) this.acknowledge(Math.min(acknowledged, this.#sent));
    if (resumed) {
      // A duplicated tab has sent some meanwhile.
      if (acknowledged !== undefined && acknowledged > this.#sent) this.#first = (this.#sent = acknowledged) + 1;
      this.#use(Math.min(received, this.#first - 1 + maxInFlight));
    } else {
      // The storage has lost its end: it no longer knows what it had acknowledged.
      if (acknowledged !== undefined && acknowledged < known) uncertain = this.#acknowledged.slice(acknowledged - known);
      // Nobody knows how far the old session got: what was sent may have been applied.
      if (acknowledged === undefined) uncertain = this.#take(this.#sent - this.#first + 1);
      this.#waiting = this.#waiting.filter((message) => message !== nothing);
      this.#first = 1;
      this.#sent = 0;
      this.#acknowledged = [];
    }
    this.#under = this.#first - 1;
    this.#maxInFlight = maxInFlight;
    return uncertain.filter(isMessage);
  }

  /** All up to this number are stored. Returns false for a number that was not sent. */
  acknowledge(number: number): boolean {
    if (!(number <= this.#sent)) return false;
    for (const message of this.#take(number - this.#first + 1)) {
      this.#acknowledged.push(message);
      message.settle("acknowledged");
    }
    this.#acknowledged.splice(0, this.#acknowledged.length - mostAcknowledged);
    return true;
  }

  /** What may be sent now; it counts as sent. */
  ready(): readonly Numbered[] {
    const ready: Numbered[] = [];
    for (;;) {
      const number = this.#under + 1;
      const data = this.#waiting[number - this.#first]?.data;
      if (data === undefined || number - this.#first >= this.#maxInFlight) break;
      this.#under = number;
      ready.push([number, data]);
    }
    this.#sent = Math.max(this.#sent, this.#under);
    return ready;
  }

  /** What waits is given up: what was sent is uncertain, the rest is refused. The numbers stay used, if the session goes on. */
  end(): { readonly uncertain: readonly Outgoing[]; readonly refused: readonly Outgoing[] } {
    const acknowledged = this.#first - 1;
    const uncertain = this.#take(this.#sent - acknowledged);
    const refused = this.#take(this.#waiting.length);
    this.restore(acknowledged, this.#sent);
    return { uncertain: uncertain.filter(isMessage), refused };
  }

  /** Numbers up to this one are used, for messages that this client does not have. */
  #use(number: number): void {
    const count = Math.max(0, number - this.#sent);
    this.#waiting.splice(this.#sent - this.#first + 1, 0, ...Array.from({ length: count }, () => nothing));
    this.#sent += count;
  }

  #take(count: number): readonly Outgoing[] {
    const taken = this.#waiting.splice(0, Math.max(0, count));
    this.#first += taken.length;
    for (const { size } of taken) this.#bytes -= size;
    return taken;
  }
}

function isMessage({ data }: Outgoing): boolean {
  return data !== null;
}
