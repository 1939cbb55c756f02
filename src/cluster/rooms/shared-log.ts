/** A topic's history as this node has it, for those who read and replay it. What subscribers get of a message is made once. */
import type { Data, Sendable } from "../../api/connection.ts";
import type { HistoryEntry } from "../../api/history.ts";
import type { HistoryRules } from "../../handler/history-rule.ts";
import type { StoredMessage } from "../../history/entries.ts";
import type { ReplayedLog } from "../../history/replay.ts";
import { formatPosition, unwritten } from "../../protocol/positions.ts";
import { checkData } from "../../values/data.ts";
import type { StoredEntry } from "../backplane.ts";
import type { MirrorLog } from "../mirror-log.ts";

export class SharedLog implements ReplayedLog {
  readonly #topic: string;
  readonly #rules: HistoryRules;
  readonly #mirror: () => MirrorLog | undefined;
  readonly #messages = new WeakMap<StoredEntry, StoredMessage>();

  /** @param mirror undefined if nothing was published yet. */
  constructor(topic: string, rules: HistoryRules, mirror: () => MirrorLog | undefined) {
    this.#topic = topic;
    this.#rules = rules;
    this.#mirror = mirror;
  }

  get position(): string {
    return this.#mirror()?.position ?? unwritten;
  }

  since(after: string | undefined, now: number): { readonly entries: readonly StoredMessage[]; readonly complete: boolean } {
    const log = this.#mirror();
    const known = after === undefined || after === unwritten ? 0 : log?.offsetOf(after);
    const oldest = this.oldest(now);
    const start = Math.max(oldest, (known ?? 0) + 1);
    const entries = log?.page(start - 1, log.entries.length).map((entry) => this.#messageOf(entry)) ?? [];
    return { entries, complete: known !== undefined && known + 1 >= oldest };
  }

  shown({ offset, tag, time, data }: StoredMessage): HistoryEntry {
    const position = formatPosition(this.#mirror()?.epoch ?? "0", offset, tag);
    return { position, data: typeof data === "string" ? data : data.slice(), time };
  }

  payloadOf(message: StoredMessage): Sendable {
    if (message.payload !== undefined) return message.payload;
    const { encode } = this.#rules;
    const payload = encode === undefined ? message.data : encode({ ...this.shown(message), topic: this.#topic });
    checkData(payload);
    return (message.payload = payload);
  }

  startPayload(first: StoredMessage | undefined, gap: boolean): Sendable | undefined {
    const position = first === undefined ? this.position : this.#positionAt(first.offset - 1);
    const start = this.#rules.encode?.start?.({ topic: this.#topic, position, gap });
    if (start !== undefined) checkData(start);
    return start;
  }

  /** What subscribers get of an entry of the mirror. @throws what `encode` throws. */
  payloadAt(offset: number): Sendable | undefined {
    const entry = this.#mirror()?.page(offset - 1, 1)[0];
    return entry === undefined ? undefined : this.payloadOf(this.#messageOf(entry));
  }

  /** The first offset that is kept and not too old; one beyond the last if none is left. */
  oldest(now: number): number {
    const log = this.#mirror();
    if (log === undefined) return 1;
    const since = now - this.#rules.seconds * 1000;
    return log.entries.find(({ time }) => time > since)?.offset ?? log.head + 1;
  }

  #positionAt(offset: number): string {
    const log = this.#mirror();
    return log === undefined ? unwritten : log.positionAt(offset);
  }

  #messageOf(entry: StoredEntry): StoredMessage {
    const known = this.#messages.get(entry);
    if (known !== undefined) return known;
    const { offset, tag, time, payload } = entry;
    const message: StoredMessage = { offset, tag, time, data: payload as Data, payload: undefined };
    this.#messages.set(entry, message);
    return message;
  }
}
