/** A session that a node holds, and what the backplane has of it. */
import type { SessionRecord } from "../../src/cluster/turns.ts";
import { OwnLog } from "../../src/delivery/server/own-log.ts";
import { Session } from "../../src/delivery/server/session.ts";
import type { LogEntry } from "../../src/history/readable.ts";
import type { Resume } from "../../src/protocol/delivery.ts";
import type { Link } from "./client.ts";

export const limits = { window: 600, ownLog: { messages: 40, bytes: 4000 }, maxInFlight: 4 };

type StoredTopic = readonly [topic: string, n: number, s: number, at: string];

export class Served {
  readonly name: string;
  readonly session: Session;
  /** Memory of hooks: another one on each node. */
  readonly life: string;
  link: Link | undefined;
  /** Messages whose hook has not run, in order. */
  hooks: { readonly number: number; readonly text: string }[] = [];
  /** Topics whose log does not exist yet, and after which position they are read. */
  readonly wants = new Map<string, string | undefined>();
  /** That this node holds it is stored. */
  isSure = false;
  awaySince: number | undefined;
  stored: readonly StoredTopic[] = [];
  begun = 0;
  readonly #epoch: string;
  /** From the entry that the client was last known to have. */
  #own: LogEntry[] = [];
  #head = 0;
  #released = 0;

  constructor(name: string, epoch: string, life: string, own: readonly LogEntry[] = []) {
    this.name = name;
    this.life = life;
    this.#epoch = epoch;
    const log = new OwnLog(epoch, limits.ownLog);
    log.restore(own);
    this.session = new Session(name, limits, log);
    this.#own = own.slice();
    this.#head = own.at(-1)?.offset ?? 0;
    this.#released = own[0]?.offset ?? 0;
  }

  static restore(name: string, { snapshot, acknowledged, epoch, own }: SessionRecord, life: string): Served {
    const served = new Served(name, epoch, life, own);
    const [topics, begun] = JSON.parse(snapshot) as [StoredTopic[], number];
    served.stored = topics;
    served.begun = begun;
    served.isSure = true;
    served.session.restarted(acknowledged);
    return served;
  }

  get head(): number {
    return this.#head;
  }

  get record(): SessionRecord {
    const snapshot = JSON.stringify([this.stored, this.begun]);
    return { snapshot, acknowledged: this.session.acknowledged, epoch: this.#epoch, own: this.#own.slice() };
  }

  /** What is to be stored of it, from now on. */
  remember(): void {
    const read = this.session.readings.map(({ held, introduction }): StoredTopic => {
      const { n, s = 0, at } = introduction;
      return [held.topic as string, n, s, at];
    });
    const wanted = Array.from(this.wants, ([topic, after]): StoredTopic => [topic, 0, 0, after ?? "0.0.0"]);
    this.stored = [...read, ...wanted];
    this.begun = Math.max(this.begun, this.session.begun);
  }

  /** @param acknowledged of another session, which the client had named. */
  attach(link: Link, resume: Pick<Resume, "positions" | "isFull"> | undefined, acknowledged?: number): void {
    this.lose();
    this.link = link;
    const output = { send: (data: unknown): void => void (link.serverOpen && link.toClient.push(data as string)) };
    const known = acknowledged === undefined ? {} : { acknowledged };
    this.session.attach(output, { session: this.name, resumed: resume !== undefined, life: this.life, ...known }, resume);
    if (!link.serverOpen) this.lose();
  }

  /** Returns false if its client has left too much unread. */
  take(entry: LogEntry): boolean {
    this.#own.push(entry);
    this.#head = entry.offset;
    return this.session.send(entry.payload, entry.tag);
  }

  /** The offset that the client is known to have, if the backplane should know. */
  release(): number | undefined {
    const released = this.session.ownLog?.released ?? 0;
    if (released < this.#released + 3) return undefined;
    this.#released = released;
    return released;
  }

  /** The backplane knows: what was under way before it is carried out. */
  released(offset: number): void {
    this.#own = this.#own.filter((entry) => entry.offset >= offset);
  }

  /** What its hooks did was not taken: their messages come again. */
  restart(): void {
    this.hooks = [];
    this.session.restarted(this.session.acknowledged);
    this.lose();
  }

  /** It has no socket any more. */
  lose(): void {
    if (this.link !== undefined) this.link.serverOpen = false;
    this.link = undefined;
    this.session.detach();
  }
}
