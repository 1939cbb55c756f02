/** Questions to the backplane outside turns: repeated until they are answered, for as long as a server is patient. */
import type { Clock } from "../../ports.ts";
import { BackplaneError } from "../error.ts";

/** Milliseconds before a question that failed is asked again. */
const pause = 100;

export class Asking {
  readonly #clock: Clock;
  readonly #patience: number;
  /** How often nobody has answered in time. */
  impatient = 0;
  #pending = 0;

  constructor(clock: Clock, patience: number) {
    this.#clock = clock;
    this.#patience = patience;
  }

  get pending(): number {
    return this.#pending;
  }

  /** @param ask may be called several times: what it does must be the same as once. @throws BackplaneError if there is no answer in time. */
  async ask<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    const until = this.#clock.elapsed() + this.#patience;
    this.#pending++;
    try {
      for (;;) {
        const answer = await this.#once(ask, until);
        if (answer !== undefined) return answer.is;
        if (this.#clock.elapsed() < until) continue;
        this.impatient++;
        throw new BackplaneError("the backplane does not answer [EW434]");
      }
    } finally {
      this.#pending--;
    }
  }

  /** Undefined if it failed: after a pause. */
  async #once<Answer>(ask: () => Promise<Answer>, until: number): Promise<{ readonly is: Answer } | undefined> {
    const { promise, resolve } = Promise.withResolvers<{ readonly is: Answer } | undefined>();
    let timer = this.#clock.setTimeout(() => resolve(undefined), Math.max(0, until - this.#clock.elapsed()));
    ask().then(
      (is) => resolve({ is }),
      () => {
        this.#clock.clearTimeout(timer);
        timer = this.#clock.setTimeout(() => resolve(undefined), pause);
      },
    );
    const answer = await promise;
    this.#clock.clearTimeout(timer);
    return answer;
  }
}
