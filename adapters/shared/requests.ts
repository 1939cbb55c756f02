/** Counts ordinary requests that are not fully answered: a closing server waits for them before it frees its port. */
export class Requests {
  #open = 0;
  #settled: (() => void) | undefined;

  /** Returns false once the server closes: later requests get a 503 and are not waited for, or retrying clients would keep the port open. */
  begin(): boolean {
    if (this.#settled !== undefined) return false;
    this.#open++;
    return true;
  }

  /** Must be called once for each request for which `begin` returned true. */
  end(): void {
    if (--this.#open === 0) this.#settled?.();
  }

  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled = resolve;
      if (this.#open === 0) resolve();
    });
  }
}
