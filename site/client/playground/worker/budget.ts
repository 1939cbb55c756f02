/** Bounds what is told to the page: a loop that logs must not bury it, for then nothing could stop the loop. */
import type { Report } from "../protocol.ts";

/** Lines between two questions of the page, which come twice a second. */
const most = 500;

export class Budget {
  readonly #report: (report: Report) => void;
  #left = most;

  constructor(report: (report: Report) => void) {
    this.#report = report;
  }

  report(report: Report): void {
    // An answer is given only between two turns of the handler.
    if (report.type === "pong") this.#left = most;
    const isBounded = report.type === "line" || report.type === "log" || report.type === "problem";
    if (!isBounded) return this.#report(report);
    this.#left--;
    if (this.#left > 0) this.#report(report);
    else if (this.#left === 0) this.#report({ type: "log", kind: "server", text: `more than ${most} lines at once: the rest is left out` });
  }
}
