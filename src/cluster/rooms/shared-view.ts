/** A topic's log for the readers of delivery: what its subscribers get, without what is too old. */
import { dataOf } from "../../values/data.ts";
import { logError } from "../../values/log.ts";
import { unwritten } from "../../protocol/positions.ts";
import type { LogEntry, ReadableLog } from "../../history/readable.ts";
import type { MirrorLog } from "../mirror-log.ts";
import type { SharedLog } from "./shared-log.ts";

export class SharedView implements ReadableLog {
  readonly #mirror: MirrorLog;
  /** Makes what subscribers get. */
  readonly #log: SharedLog;
  readonly #now: () => number;
  /** Up to this offset `encode` failed. */
  #broken = 0;

  constructor(mirror: MirrorLog, log: SharedLog, now: () => number) {
    this.#mirror = mirror;
    this.#log = log;
    this.#now = now;
  }

  get epoch(): string {
    return this.#mirror.epoch;
  }

  get position(): string {
    return this.#mirror.position;
  }

  get head(): number {
    return this.#mirror.head;
  }

  before(): string {
    return this.#mirror.positionAt(this.#first - 1);
  }

  offsetOf(position: string): number | undefined {
    // It is before any message, of which log ever.
    if (position === unwritten) return this.#first === 1 ? 0 : undefined;
    const offset = this.#mirror.offsetOf(position);
    return offset === undefined || offset < this.#first - 1 ? undefined : offset;
  }

  page(after: number, limit: number): readonly LogEntry[] {
    const entries: LogEntry[] = [];
    for (const { offset, tag, except } of this.#mirror.page(Math.max(after, this.#first - 1), limit)) {
      const payload = this.#payloadAt(offset);
      // A page ends before a message that fails. It is gone once it would be the first one.
      if (payload === undefined && entries.length > 0) break;
      if (payload === undefined) this.#broken = offset;
      else entries.push({ offset, tag, payload, except, epoch: this.epoch });
    }
    return entries;
  }

  #payloadAt(offset: number): LogEntry["payload"] | undefined {
    try {
      const payload = this.#log.payloadAt(offset);
      return payload === undefined ? undefined : dataOf(payload);
    } catch (error) {
      logError("a message of a history can't be encoded: its readers get a gap [EW310]", `topic "${this.#mirror.topic}":`, error);
      return undefined;
    }
  }

  get #first(): number {
    return Math.max(this.#log.oldest(this.#now()), Math.min(this.#broken, this.head) + 1);
  }
}
