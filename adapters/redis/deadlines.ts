/** Nothing waits for Redis for longer than its deadline, and a client that has lost Redis is given no more than it can forget. */
import { BackplaneError } from "../../src/cluster/error.ts";

/** Commands whose deadline is over and which the client still holds: beyond, it is given no more. */
const mostGivenUp = 1000;

export class Deadlines {
  readonly #timeout: number;
  #givenUp = 0;
  isClosed = false;

  /** @param timeout milliseconds. */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /** @param hindrance why nothing is asked at all. @throws BackplaneError, as a rejection, for whatever fails. */
  async keep<Answer>({ hindrance }: { readonly hindrance: string | undefined }, ask: () => Promise<Answer>): Promise<Answer> {
    if (this.isClosed) throw new BackplaneError("redis: the backplane is closed [EW417]");
    if (hindrance !== undefined) throw new BackplaneError(`redis: ${hindrance} [EW413]`);
    if (this.#givenUp >= mostGivenUp) throw new BackplaneError(`redis: ${this.#givenUp} commands have had no answer [EW418]`);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#givenUp++;
      reject(new BackplaneError(`redis: no answer within ${this.#timeout} ms [EW704]`));
    }, this.#timeout);
    const settled = (): void => {
      clearTimeout(timer);
      if (isLate) this.#givenUp--;
    };
    ask().then(
      (answer) => {
        settled();
        resolve(answer);
      },
      (error: Error) => {
        settled();
        reject(new BackplaneError(`redis: ${error.message} [EW413]`, { cause: error }));
      },
    );
    return promise;
  }
}
