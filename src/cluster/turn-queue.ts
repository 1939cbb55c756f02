/** What waits for the backplane: turns, in order, a batch of them under way at a time. It is bounded in size and time. */
import { lengthOf } from "../values/data.ts";
import type { Step, Turn, TurnResult } from "./turns.ts";
import { BackplaneError } from "./error.ts";

/** `"lost"`: the node is expelled. Nobody knows whether the turn was carried out if it was `sent`; otherwise it was not. */
export type TurnFate = TurnResult | { readonly type: "lost"; readonly sent: boolean };

/** `"urgent"`: before all that are not. `"checked"`: `check` was called before. */
export type How = "usual" | "urgent" | "checked";

export interface QueueLimits {
  /** Milliseconds that the oldest turn may wait. */
  readonly patience: number;
  /** Bytes. */
  readonly maxPending: number;
}

export interface NumberedTurns {
  readonly number: number;
  /** The last one that is known to be carried out. */
  readonly after: number;
  readonly turns: readonly Turn[];
}

interface Waiting {
  readonly turn: Turn;
  readonly size: number;
  readonly since: number;
  readonly settled: (fate: TurnFate) => void;
}

/** Turns of one batch: one that is too long would hold up the backplane. */
const mostTurns = 256;
/** What a turn takes besides its payloads. */
const overhead = 64;

export class TurnQueue {
  readonly #limits: QueueLimits;
  /** The first `#urgent` go before the others. */
  #waiting: Waiting[] = [];
  #urgent = 0;
  #underWay: readonly Waiting[] | undefined;
  #number = 0;
  #bytes = 0;
  /** The number of the last batch that is known to be carried out. */
  answered = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Since when the oldest waits; undefined if none does. */
  get since(): number | undefined {
    return (this.#underWay ?? this.#waiting)[0]?.since;
  }

  /** What hinders another turn; undefined if nothing does. @param more bytes that are about to wait, too. */
  hindrance(now: number, more = 0): string | undefined {
    const bytes = this.#bytes + more;
    if (bytes >= this.#limits.maxPending) return `${bytes} bytes wait for it`;
    const waited = now - (this.since ?? now);
    return waited > this.#limits.patience ? `it has not answered for ${waited} ms` : undefined;
  }

  /** @throws BackplaneError if too much waits already. */
  check(now: number, more = 0): void {
    const hindrance = this.hindrance(now, more);
    if (hindrance !== undefined) throw new BackplaneError(`the backplane takes nothing more: ${hindrance} [EW401]`);
  }

  /** @throws BackplaneError if too much waits already, for one that is neither urgent nor checked. */
  add(turn: Turn, settled: (fate: TurnFate) => void, now: number, how: How): void {
    if (how === "usual") this.check(now);
    const one = { turn, size: sizeOf(turn), since: now, settled };
    this.#bytes += one.size;
    if (how === "urgent") this.#waiting.splice(this.#urgent++, 0, one);
    else this.#waiting.push(one);
  }

  /** The batch that has no answer yet, or the next one. */
  next(): NumberedTurns | undefined {
    if (this.#underWay === undefined && this.#waiting.length > 0) {
      this.#underWay = this.#waiting.splice(0, mostTurns);
      this.#urgent = Math.max(0, this.#urgent - mostTurns);
      this.#number++;
    }
    return this.#underWay === undefined
      ? undefined
      : { number: this.#number, after: this.answered, turns: this.#underWay.map(({ turn }) => turn) };
  }

  /** The batch was carried out. */
  done(results: readonly TurnResult[]): void {
    const done = this.#underWay ?? [];
    this.#underWay = undefined;
    this.answered = this.#number;
    for (const { size } of done) this.#bytes -= size;
    for (const [index, { settled }] of done.entries()) settled(results[index] ?? { type: "lost", sent: true });
  }

  /** The backplane has lost what came after that batch. The one under way followed others, so it is never carried out: its turns wait again. */
  rewind(batch: number): void {
    this.#waiting.unshift(...(this.#underWay ?? []));
    this.#underWay = undefined;
    this.answered = batch;
  }

  /** Nothing is sent any more. */
  end(): void {
    const [sent, waiting] = [this.#underWay ?? [], this.#waiting];
    this.#underWay = undefined;
    this.#waiting = [];
    this.#bytes = 0;
    for (const { settled } of sent) settled({ type: "lost", sent: true });
    for (const { settled } of waiting) settled({ type: "lost", sent: false });
  }
}

function sizeOf({ condition, steps }: Turn): number {
  let size = overhead;
  if (condition !== undefined && "snapshot" in condition) size += condition.snapshot.length;
  for (const step of steps) size += sizeOfStep(step);
  return size;
}

export function sizeOfStep(step: Step): number {
  if (step.type === "state") return overhead + step.snapshot.length;
  return overhead + ("payload" in step ? lengthOf(step.payload) : 0);
}
