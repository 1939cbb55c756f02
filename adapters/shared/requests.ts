/** Ordinary requests that are not answered to the end yet: a server that closes waits for them before it gives up its port. */
export class Requests {
  #open = 0;
  #settled: (() => void) | undefined;

  /** False once the server closes: what comes then gets a 503, which nothing waits for, or clients that come again would keep the port. */
  begin(): boolean {
    if (this.#settled !== undefined) return false;
    this.#open++;
    return true;
  }

  /** Once for each that `begin` took. */
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
