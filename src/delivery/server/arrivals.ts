/** Which of a client's messages have come, and which of those are stored. */

/** What becomes of a client's message. `"next"`: its hook runs. `"repeated"`: it did already. `"wrong"`: a number that can't come now. */
export type Arrival = "next" | "repeated" | "wrong";

export class Arrivals {
  /** The last message whose hook was run, or is about to be. */
  #received = 0;
  /** The last message whose turn is stored, and with it all before. */
  #acknowledged = 0;
  /** The last number that the client was told. */
  #told = 0;
  /** Messages that have had their hook before one that came earlier. */
  #early: Set<number> | undefined;

  get received(): number {
    return this.#received;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** The client's n-th message has come. @param mostInFlight messages that may have come and are not acknowledged. */
  arrived(number: number, mostInFlight: number): Arrival {
    if (number <= this.#received) {
      // It did not hear of it, or it would not have sent it again.
      this.#told = Math.min(this.#told, this.#acknowledged - 1);
      return "repeated";
    }
    if (number !== this.#received + 1 || number > this.#acknowledged + mostInFlight) return "wrong";
    this.#received = number;
    return "next";
  }

  acknowledge(number: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, number);
  }

  /** The hook of a message has ended. An answer to the server, which does not wait for hooks, may overtake others. Returns whether more is acknowledged. */
  ran(number: number): boolean {
    if (number !== this.#acknowledged + 1) {
      (this.#early ??= new Set()).add(number);
      return false;
    }
    let last = number;
    while (this.#early?.delete(last + 1) === true) last++;
    this.#acknowledged = last;
    return true;
  }

  /** Memory was lost, and with it hooks that had not ended: what comes after the last message that is stored comes again. */
  restarted(acknowledged: number): void {
    this.#acknowledged = acknowledged;
    this.#received = acknowledged;
    this.#told = 0;
    this.#early = undefined;
  }

  /** What the client is about to be told: all up to this number are stored. Undefined if it knows. */
  owed(): number | undefined {
    if (this.#told >= this.#acknowledged) return undefined;
    return (this.#told = this.#acknowledged);
  }
}
