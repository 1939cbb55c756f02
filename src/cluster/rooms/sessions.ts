/**
 * The sessions of one room that this node holds: claimed or created before their handshake is answered, stored by turns, told of what is theirs, and left to
 * another node that has them. docs/maintainers/cluster-simulation.md says what has to be done, and why.
 */
import type { Data, MaybePromise } from "../../api/connection.ts";
import { randomEpoch } from "../../history/random.ts";
import { CloseCode } from "../../protocol/close.ts";
import { readResume } from "../../protocol/delivery.ts";
import type { Resume } from "../../protocol/delivery.ts";
import type {
  CreatedSession,
  OwnLogLimits,
  SessionKeeper,
  SharedLine,
  SharedRow,
  SharedSessions,
  SidedLine,
} from "../../rooms/shared-sessions.ts";
import type { Opened } from "../../rooms/shared.ts";
import { lengthOf } from "../../values/data.ts";
import type { Store } from "../../ports.ts";
import type { LogEntry, ReadableLog } from "../../history/readable.ts";
import type { Cluster } from "../cluster.ts";
import type { MirrorLog } from "../mirror-log.ts";
import type { Held as HeldBy } from "../notices.ts";
import type { TurnFate } from "../turn-queue.ts";
import type { Claimed, Kept, Step } from "../turns.ts";
import type { Gathered } from "./gathered.ts";
import { Held, keyOf } from "./held.ts";
import { readShared, SharedSide } from "./side.ts";

/** What is needed of the room. */
export interface SessionRoom {
  readonly name: string;
  readonly cluster: Cluster;
  readonly gathered: Gathered;
  readonly keeper: SessionKeeper;
  now(): number;
  /** Resolves after so many milliseconds. */
  after(milliseconds: number): Promise<void>;
  /** Resolves once the backplane takes something again. */
  taking(): Promise<void>;
  view(log: MirrorLog): ReadableLog;
  /** As it is reserved. */
  keptOf(topic: string): Kept;
  /** A connection that says who it is. */
  presentStep(id: string, declaration: string, session: string | undefined): Step;
  /** It is no longer this node's: what the backplane has of its presence counts. */
  leftTo(id: string): void;
  /** Connections that go on at another server. */
  readonly departing: Set<string>;
}

/** Milliseconds for which a session that was made for a handshake waits for it to be answered. */
const handshake = 20_000;

type Outcome = "resumed" | "away" | { readonly acknowledged: number | undefined };

export class NodeSessions implements SharedSessions {
  readonly #room: SessionRoom;
  /** By key. */
  readonly #held = new Map<string, Held>();
  /** By the connection's id. */
  readonly #byId = new Map<string, Held>();
  /** For handshakes that are not answered yet, by the connection's id. */
  readonly #created = new Map<string, CreatedSession & { readonly key: string; readonly at: number }>();
  readonly #adopting = new Set<string>();
  /** Those that went on elsewhere. */
  readonly #gone = new WeakSet<SharedLine>();

  constructor(room: SessionRoom) {
    this.#room = room;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0 && this.#created.size === 0;
  }

  /** The session of a connection of this node. */
  keyOfConnection(id: string): string | undefined {
    return this.#byId.get(id)?.key;
  }

  // Handshakes.

  /** The session is claimed or made before the client hears of it. Returns false if the backplane does not answer in time. */
  async admit({ id, protocol, resume: text, subject }: Opened, within: number): Promise<boolean> {
    const resume = text === undefined ? undefined : readResume(text);
    const late = this.#room.after(within).then((): Outcome => "away");
    let acknowledged: number | undefined;
    if (resume !== undefined) {
      const outcome = await Promise.race([this.#claim(resume, subject, protocol), late]);
      if (typeof outcome === "string") return outcome === "resumed";
      acknowledged = outcome.acknowledged;
    }
    return (await Promise.race([this.#create(id, subject, acknowledged), late])) !== "away";
  }

  #claim(resume: Resume, subject: string | undefined, protocol: string): Promise<Outcome> {
    const { session, acknowledged } = resume;
    const key = keyOf(session, subject);
    return this.#turn({ type: "claim", session: key, acknowledged }, (fate): MaybePromise<Outcome> => {
      if (fate.type === "lost") return "away";
      const known = this.#held.get(key);
      if (fate.type === "refused") {
        // If it has ended, its close hook has run where that was.
        if (known !== undefined) this.#over(known, fate.why !== "ended");
        return { acknowledged: fate.acknowledged };
      }
      const held = this.#restore(key, session, subject, fate.claimed);
      if (held === undefined) return this.#end(key, undefined);
      const { line } = held;
      // The client knows of a subscription that is not stored: what made it is lost.
      const isUnknown = Array.from(resume.positions.values()).some(({ subscription = 0 }) => subscription > line.begun);
      return isUnknown || line.protocol !== protocol ? this.#end(key, held) : "resumed";
    });
  }

  /** It ends instead of going on: its client gets another. */
  #end(key: string, held: Held | undefined): Promise<Outcome> {
    return this.#turn({ type: "end", session: key }, (fate): Outcome => {
      // Another node has it already: the client tries again.
      if (fate.type === "lost" || (fate.type === "refused" && fate.why === "holder")) return "away";
      if (held !== undefined) this.#over(held, true);
      return { acknowledged: fate.acknowledged };
    });
  }

  #create(id: string, subject: string | undefined, acknowledged: number | undefined): Promise<Outcome> {
    const name = randomEpoch() + randomEpoch();
    const created = { name, epoch: randomEpoch(), acknowledged, own: [], key: keyOf(name, subject), at: this.#room.now() };
    this.#created.set(id, created);
    return this.#turn({ type: "create", session: created.key, snapshot: "", epoch: created.epoch }, (fate): Outcome => {
      if (fate.type === "done") return "resumed";
      this.#created.delete(id);
      const held = this.#byId.get(id);
      if (held !== undefined) this.#over(held, false);
      return "away";
    });
  }

  /** Whatever comes of the turn is done before anything else is told. */
  #turn(
    condition: NonNullable<Parameters<Cluster["turn"]>[0]["condition"]>,
    then: (fate: TurnFate) => MaybePromise<Outcome>,
  ): Promise<Outcome> {
    return new Promise((resolve) => {
      const settled = (fate: TurnFate): void => resolve(then(fate));
      try {
        this.#room.cluster.turn({ condition, steps: [] }, settled);
      } catch {
        settled({ type: "lost", sent: false });
      }
    });
  }

  /** As this node knows it if it held it all the time, or as it is stored. */
  #restore(key: string, name: string, subject: string | undefined, claimed: Claimed | undefined): Held | undefined {
    if (claimed === undefined) return undefined;
    const { record, isSame } = claimed;
    const known = this.#held.get(key);
    if (known !== undefined && isSame && known.line.acknowledged === record.acknowledged) return known;
    if (known !== undefined) this.#over(known, false);
    // It was made, and nothing of it was ever stored.
    if (record.snapshot === "") return undefined;
    const line = this.#room.keeper.adopt(this.#room.name, { name, subject, ...record });
    const held = line === undefined ? undefined : this.#held.get(key);
    if (held?.line.presence !== undefined) this.#room.gathered.add(this.#room.presentStep(held.line.id, held.line.presence, key));
    return held;
  }

  created(opening: string, subject: string | undefined): CreatedSession {
    const known = this.#created.get(opening);
    if (known !== undefined) return known;
    // The session that its client named has gone on meanwhile.
    void this.#create(opening, subject, undefined);
    return this.#created.get(opening) as CreatedSession;
  }

  sideOf(line: SidedLine, limits: OwnLogLimits, store: Store): SharedLine {
    return new SharedSide(line, limits, store);
  }

  rowOf(snapshot: string): SharedRow | undefined {
    return readShared(snapshot);
  }

  begin(line: SharedLine, created: CreatedSession): void {
    this.#created.delete(line.id);
    const held = new Held(keyOf(line.name, line.subject), line, created);
    this.#held.set(held.key, held);
    this.#byId.set(line.id, held);
  }

  /** Handshakes that were never answered. */
  tick(now: number): void {
    for (const [id, { key, at }] of this.#created) {
      if (now - at < handshake) continue;
      this.#created.delete(id);
      void this.#end(key, undefined);
    }
  }

  // What is stored.

  stale(line: SharedLine): void {
    const held = this.#of(line);
    if (held !== undefined) this.#store(held);
  }

  #store({ key, line }: Held): void {
    this.#room.gathered.add({ type: "state", session: key, snapshot: line.snapshot });
  }

  mayRun(line: SharedLine): MaybePromise<boolean> {
    const { cluster, gathered } = this.#room;
    const begin = (): boolean => {
      // What others have done goes alone: it is not undone with this message.
      gathered.flush();
      if (this.#of(line) === undefined) return false;
      gathered.running.add(line);
      return true;
    };
    return cluster.takes ? begin() : this.#room.taking().then(begin);
  }

  ran(line: SharedLine, number: number): void {
    this.#room.gathered.running.delete(line);
    const held = this.#of(line);
    // Its client sends the message again, where it is now: there it has its hook.
    if (held === undefined) return this.#gone.has(line) ? this.#room.gathered.drop() : undefined;
    line.settle();
    if (number !== held.taken + 1) {
      held.early.add(number);
      return this.#room.gathered.flush();
    }
    do {
      const next = ++held.taken;
      const condition = { type: "message", session: held.key, number: next } as const;
      this.#room.gathered.flush(condition, (fate) => this.#settled(held, next, fate));
    } while (held.early.delete(held.taken + 1));
  }

  #settled(held: Held, number: number, fate: TurnFate): void {
    // Where a turn is lost, the node is expelled.
    if (held.isOver || fate.type === "lost") return;
    if (fate.type === "done") return held.line.acknowledge(number);
    // Another node was first, while the client was there: what it answered is in the session's own log.
    if (fate.why === "acknowledged" && fate.holder === this.#room.cluster.node) {
      held.line.acknowledge(number);
      return this.#store(held);
    }
    if (fate.why === "acknowledged") return this.#over(held, false);
    // Its client comes back, and is told what became of it.
    this.#forget(held.line);
    this.#depart(held.line, CloseCode.serviceRestart, "The session is not stored");
  }

  send(line: SharedLine, payload: Data, tag: string): boolean {
    const held = this.#of(line);
    if (held === undefined) return true;
    let bytes = lengthOf(payload);
    for (const size of held.sending.values()) bytes += size;
    if (!line.hasRoom(held.sending.size + 1, bytes)) return false;
    held.sending.set(tag, lengthOf(payload));
    this.#room.gathered.add({ type: "send", session: held.key, payload, tag });
    return true;
  }

  read(line: SharedLine): void {
    const held = this.#of(line);
    const offset = held?.release();
    if (held === undefined || offset === undefined) return;
    this.#room.gathered.add({ type: "release", session: held.key, offset });
    void this.#room.gathered.fate?.then(({ type }) => void (type === "done" && held.released(offset)));
  }

  // Ends.

  expire(line: SharedLine): void {
    const held = this.#of(line);
    if (held === undefined) return;
    void this.#turn({ type: "end", session: held.key }, (fate): Outcome => {
      // Expelled, or its client has come back meanwhile, elsewhere.
      if (fate.type === "lost") return "away";
      if (!held.isOver) this.#over(held, fate.type === "done" || fate.why !== "holder");
      return "away";
    });
  }

  end(line: SharedLine): void {
    const held = this.#forget(line);
    if (held !== undefined) void this.#turn({ type: "end", session: held.key }, () => "away");
  }

  letGo(line: SharedLine): void {
    if (this.#forget(line) !== undefined) this.#room.departing.add(line.id);
  }

  #forget(line: SharedLine): Held | undefined {
    const held = this.#of(line);
    if (held === undefined) return undefined;
    held.isOver = true;
    this.#held.delete(held.key);
    this.#byId.delete(line.id);
    return held;
  }

  #of({ id }: SharedLine): Held | undefined {
    return this.#byId.get(id);
  }

  /** It is no longer here. @param ends it has ended: its close hook runs. */
  #over(held: Held, ends: boolean): void {
    if (held.isOver) return;
    const { line } = held;
    this.#forget(line);
    if (ends) return line.vanish();
    this.#depart(line, CloseCode.policyViolation, "another connection has the session");
  }

  #depart(line: SharedLine, code: number, reason: string): void {
    const { departing } = this.#room;
    this.#gone.add(line);
    departing.add(line.id);
    line.depart(code, reason);
    departing.delete(line.id);
    this.#room.leftTo(line.id);
  }

  // Logs.

  log(topic: string): ReturnType<SharedSessions["log"]> {
    const log = this.#room.cluster.logs.get(topic);
    return log === undefined ? undefined : { log: this.#room.view(log), number: log.number };
  }

  wants(line: SharedLine, topic: string, after: string | undefined): void {
    const held = this.#of(line);
    if (held === undefined) return;
    held.wants.set(topic, after);
    this.#room.gathered.add({ type: "reserve", log: this.#room.keptOf(topic) });
  }

  wantsNot(line: SharedLine, topic: string): void {
    this.#of(line)?.wants.delete(topic);
  }

  began({ topic }: MirrorLog): void {
    for (const held of this.#held.values()) if (held.wants.has(topic)) this.#begin(held, topic);
  }

  #begin({ wants, line }: Held, topic: string): void {
    const after = wants.get(topic);
    wants.delete(topic);
    line.begin(topic, after);
  }

  /** What made their logs may be lost. */
  live(): void {
    for (const held of this.#held.values()) {
      for (const [topic, after] of Array.from(held.wants)) {
        if (this.#room.cluster.logs.has(topic)) this.#begin(held, topic);
        else this.wants(held.line, topic, after);
      }
    }
  }

  replaced(topic: string, log: MirrorLog | undefined, positions: (offset: number) => string): void {
    for (const held of this.#held.values()) {
      const reading = held.line.readings.find((one) => one.topic === topic);
      if (reading === undefined) continue;
      const position = positions(reading.offset);
      if (log?.number === reading.number) held.line.missed(log.number, position);
      else {
        // Begun once all have ended: another topic may have had its number.
        held.line.unfollow(topic);
        held.wants.set(topic, position);
      }
    }
  }

  // What the backplane tells.

  held(): readonly HeldBy[] {
    const here = Array.from(this.#held.values(), ({ key, head, isSure }) => ({ session: key, after: head, isSure }));
    return [...here, ...Array.from(this.#created.values(), ({ key }) => ({ session: key, after: 0, isSure: true }))];
  }

  own(session: string, entry: LogEntry): void {
    const held = this.#held.get(session);
    if (held?.add(entry) === true) held.line.own(entry);
  }

  taken(session: string): void {
    const held = this.#held.get(session);
    if (held !== undefined) this.#over(held, false);
  }

  /** Nobody holds it, or this node without knowing: it waits for its client here. */
  orphan(session: string): void {
    if (this.#held.has(session) || this.#adopting.has(session)) return;
    this.#adopting.add(session);
    const [name = "", ...subject] = session.split(" ");
    void this.#turn({ type: "claim", session, acknowledged: 0, orphan: true }, (fate): MaybePromise<Outcome> => {
      this.#adopting.delete(session);
      if (fate.type !== "done") return "away";
      const held = this.#restore(session, name, subject.length === 0 ? undefined : subject.join(" "), fate.claimed);
      return held === undefined ? this.#end(session, undefined) : "resumed";
    });
  }

  rewound(isOther: boolean): void {
    for (const held of this.#held.values()) if (held.isSure) this.#restate(held, isOther);
  }

  #restate(held: Held, isOther: boolean): void {
    const { key, line, record } = held;
    held.isSure = false;
    const steps = line.presence === undefined ? [] : [this.#room.presentStep(line.id, line.presence, key)];
    const settled = (fate: TurnFate): void => {
      if (held.isOver || fate.type === "lost") return;
      if (fate.type === "done") held.isSure = true;
      else this.#over(held, fate.why !== "holder");
    };
    this.#room.cluster.turn({ condition: { type: "restate", session: key, record, isOther }, steps }, settled, "urgent");
  }

  /** Others take this node for dead. */
  expelled(): void {
    for (const held of Array.from(this.#held.values())) {
      this.#forget(held.line);
      this.#depart(held.line, CloseCode.serviceRestart, "The room is joined again");
    }
    this.#created.clear();
  }
}
