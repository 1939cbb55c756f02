/** Questions to the backplane. */

/** Milliseconds before a question that failed is asked again. */
const pause = 100;

/** One that may be under way once: an answer that comes after it was given up is ignored. */
export class Request {
  #token = 0;
  #since: number | undefined;
  /** When it failed last; undefined after an answer. */
  #failed: number | undefined;

  get isUnderWay(): boolean {
    return this.#since !== undefined;
  }

  /** @param answered not called any more once `drop` was. */
  ask<Answer>(now: number, ask: () => Promise<Answer>, answered: (answer: Answer) => void, clock: () => number): void {
    const token = ++this.#token;
    this.#since = now;
    const settle = (failed: number | undefined): boolean => {
      if (token !== this.#token) return false;
      this.#since = undefined;
      this.#failed = failed;
      return true;
    };
    ask().then(
      (answer) => void (settle(undefined) && answered(answer)),
      () => void settle(clock()),
    );
  }

  /** Gives it up. */
  drop(): void {
    this.#token++;
    this.#since = undefined;
  }

  /** It has had no answer for so long: it is given up, and may be asked again. */
  expire(now: number, timeout: number): void {
    if (this.#since === undefined || now - this.#since < timeout) return;
    this.drop();
    this.#failed = now;
  }

  /** It is neither under way, nor has it just failed. */
  mayAsk(now: number): boolean {
    return this.#since === undefined && (this.#failed === undefined || now - this.#failed >= pause);
  }
}
