/** A line where rooms span servers: what the backplane asks of it and tells it, and what is stored of it there. */
import { statePrefix } from "../../connection/snapshot.ts";
import type { LogEntry } from "../../history/readable.ts";
import type { Store, StoredSnapshot } from "../../ports.ts";
import { CloseCode } from "../../protocol/close.ts";
import type { OwnLogLimits, SharedLine, SharedRow, SidedLine } from "../../rooms/shared-sessions.ts";

export class SharedSide implements SharedLine {
  readonly #line: SidedLine;
  readonly #limits: OwnLogLimits;
  readonly #store: Store;
  /** Topics whose log does not exist yet, and where they are read from. */
  readonly #wanted = new Map<string, string>();
  /** Subscriptions that were stored. */
  #begun = 0;

  /** @param store where a large state is. */
  constructor(line: SidedLine, limits: OwnLogLimits, store: Store) {
    this.#line = line;
    this.#limits = limits;
    this.#store = store;
  }

  get name(): string {
    return this.#line.name;
  }

  get subject(): string | undefined {
    return this.#line.subject;
  }

  get room(): string {
    return this.#line.connection.roomName;
  }

  get id(): string {
    return this.#line.connection.id;
  }

  get protocol(): string {
    return this.#line.connection.protocol;
  }

  get acknowledged(): number {
    return this.#line.session.acknowledged;
  }

  get begun(): number {
    return Math.max(this.#begun, this.#line.session.begun);
  }

  set begun(begun: number) {
    this.#begun = begun;
  }

  get released(): number {
    return this.#line.session.ownLog?.released ?? 0;
  }

  get presence(): string | undefined {
    return this.#line.connection.presence;
  }

  get snapshot(): string {
    const { stored, session } = this.#line;
    if (stored === undefined) return "";
    const read = session.readings.map(({ introduction: { n, s, topic, at } }) => [n, s, topic, at]);
    const wanted = Array.from(this.#wanted, ([topic, at]) => [0, 0, topic, at]);
    const apart = this.#store.get(statePrefix + this.id);
    return JSON.stringify([stored, this.begun, [...read, ...wanted], apart ?? null]);
  }

  get readings(): SharedLine["readings"] {
    return this.#line.session.readings.map(({ held, offset }) => ({ topic: held.topic as string, number: held.number, offset }));
  }

  /** The topic has no log yet. */
  waitsFor(topic: string, at: string): void {
    this.#wanted.set(topic, at);
  }

  waitsNoMore(topic: string): void {
    this.#wanted.delete(topic);
  }

  hasRoom(messages: number, bytes: number): boolean {
    const { ownLog } = this.#line.session;
    const unread = ownLog?.unread ?? 0;
    const waiting = ownLog?.bytesAfter(ownLog.released) ?? 0;
    return unread + messages <= this.#limits.messages && (unread === 0 || waiting + bytes <= this.#limits.bytes);
  }

  own({ payload, tag }: LogEntry): void {
    const line = this.#line;
    if (line.isOver) return;
    if (line.session.send(payload, tag)) line.noteBehind();
    else line.connection.end(CloseCode.tryAgainLater, "Slow consumer");
  }

  acknowledge(number: number): void {
    this.#line.session.acknowledge(number);
    this.#line.session.tell();
  }

  settle(): void {
    this.#line.turn.end();
  }

  begin(topic: string, after: string | undefined): void {
    this.#wanted.delete(topic);
    this.#line.reading(() => this.#line.beginReading(topic, after));
  }

  unfollow(topic: string): void {
    this.#line.unfollow(topic);
  }

  missed(number: number, position: string): void {
    this.#line.reading(() => this.#line.session.missed({ [number]: position }));
    this.#line.turn.stale();
  }

  depart(code: number, reason: string): void {
    this.#line.depart(code, reason);
  }

  vanish(): void {
    void this.#line.connection.vanished();
  }
}

/** Undefined for a record that has nothing. */
export function readShared(text: string): SharedRow | undefined {
  if (text === "") return undefined;
  const [stored, begun, logs, apart] = JSON.parse(text) as [
    (string | number | null)[],
    number,
    [number, number, string, string][],
    string | null,
  ];
  return {
    stored: stored.map((part) => part ?? undefined) as unknown as StoredSnapshot,
    begun,
    introductions: logs.map(([n, s, topic, at]) => ({ n, s, topic, at })),
    apart: apart ?? undefined,
  };
}
