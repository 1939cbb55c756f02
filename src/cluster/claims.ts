/**
 * Claims that were carried out before the feed was there. A session's client may come from a node that was further: this node has to be as far before it says
 * where the logs end, or it would report a loss that never happened.
 */
import type { Notices } from "./notices.ts";
import type { TurnFate } from "./turn-queue.ts";

interface Waiting {
  /** How far the feed has to be. */
  readonly number: number;
  run(fate?: TurnFate): void;
}

export class Claims {
  readonly #notices: Notices;
  #waiting: Waiting[] = [];
  #number: number | undefined;

  constructor(notices: Notices) {
    this.#notices = notices;
  }

  /** What is carried out now waits until the feed is that far; undefined if it is. */
  wait(number: number | undefined): void {
    this.#number = number;
  }

  carriedOut(session: string, fate: TurnFate, settled: (fate: TurnFate) => void): void {
    const run = (last: TurnFate = fate): void => {
      settled(last);
      this.#notices.claimed(session, last.type === "done" ? last.claimed?.notices : undefined);
    };
    const number = this.#number ?? this.#waiting.at(-1)?.number;
    if (number === undefined || fate.type === "lost") run();
    else this.#waiting.push({ number, run });
  }

  followed(number: number): void {
    while ((this.#waiting[0]?.number ?? Number.POSITIVE_INFINITY) <= number) this.#waiting.shift()?.run();
  }

  /** What was read came after all of them. */
  caughtUp(): void {
    this.#number = undefined;
    this.followed(Number.MAX_SAFE_INTEGER);
  }

  end(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { run } of waiting) run({ type: "lost", sent: true });
  }
}
