/** The sessions of a backplane in memory: whether a turn's condition holds, and what it changes. */
import type { LogEntry } from "../../history/readable.ts";
import type { Condition, SessionRecord, TurnRefused, TurnResult } from "../turns.ts";
import { notify } from "./state.ts";
import type { MemorySession, Step } from "./state.ts";

type Refused = TurnRefused | undefined;

/** Why the turn is refused; undefined if its condition holds. */
export function refusalOf(step: Step, condition: Condition): Refused {
  const session = step.state.sessions.get(condition.session);
  if (condition.type === "create") return session === undefined ? undefined : refuse(session, "holder");
  if (session === undefined) return missing(step, condition);
  if (session.isOver) return refuse(session, "ended");
  switch (condition.type) {
    case "message":
      if (session.acknowledged === condition.number - 1) return undefined;
      return refuse(session, session.acknowledged < condition.number ? "forgot" : "acknowledged");
    case "claim":
      return claimRefusal(step, session, condition);
    case "restate":
      if (session.holder !== step.node && step.state.nodes.has(session.holder)) return refuse(session, "holder");
      return session.acknowledged < condition.record.acknowledged ? forgot(step, condition.session, session) : undefined;
    case "end":
      return session.holder === step.node ? undefined : refuse(session, "holder");
  }
}

function missing(step: Step, condition: Condition): Refused {
  if (condition.type === "claim" && condition.recent === true) {
    const lost = { ...newSession(step.node, { snapshot: "", acknowledged: 0, epoch: "", own: [] }), isOver: true };
    step.state.sessions.set(condition.session, lost);
    return refuse(lost, "forgot");
  }
  // A backplane that has lost everything is told again what sessions know; one that has lost its end alone did not take what it says it has.
  const isTold = condition.type === "restate" && (condition.isOther || condition.record.acknowledged === 0);
  return isTold ? undefined : { type: "refused", why: "unknown" };
}

function claimRefusal(step: Step, session: MemorySession, { session: name, acknowledged, orphan }: Condition & { type: "claim" }): Refused {
  if (orphan === true && session.holder !== step.node && step.state.nodes.has(session.holder)) return refuse(session, "holder");
  return session.acknowledged < acknowledged ? forgot(step, name, session) : undefined;
}

/** No late turn of it is ever taken. */
function forgot(step: Step, name: string, session: MemorySession): Refused {
  end(step, name, session);
  return refuse(session, "forgot");
}

function refuse({ acknowledged, holder }: MemorySession, why: TurnRefused["why"]): TurnRefused {
  return { type: "refused", why, acknowledged, holder };
}

/** What a condition changes once it holds. */
export function settle(step: Step, condition: Condition): TurnResult {
  const { sessions } = step.state;
  const { session: name } = condition;
  const session = sessions.get(name);
  switch (condition.type) {
    case "message":
      if (session !== undefined) session.acknowledged = condition.number;
      break;
    case "claim":
      if (session !== undefined) return claim(step, name, session);
      break;
    case "create":
      sessions.set(name, newSession(step.node, { ...condition, acknowledged: 0, own: [] }));
      break;
    case "restate":
      restate(step, name, session, condition.record);
      break;
    case "end":
      if (session === undefined) break;
      end(step, name, session);
      return { type: "done", acknowledged: session.acknowledged };
  }
  return { type: "done" };
}

function claim(step: Step, name: string, session: MemorySession): TurnResult {
  const isSame = session.holder === step.node;
  if (!isSame) notify(step, session.holder, { type: "taken", session: name });
  session.holder = step.node;
  const { snapshot, acknowledged, epoch, own } = session;
  const notices = step.state.nodes.get(step.node)?.notices.number ?? 0;
  return { type: "done", claimed: { record: { snapshot, acknowledged, epoch, own: own.slice() }, isSame, notices } };
}

/** The node has told the client what it says: it is right. What others have sent meanwhile follows. */
function restate(step: Step, name: string, known: MemorySession | undefined, record: SessionRecord): void {
  const restated = newSession(step.node, { ...record, acknowledged: Math.max(record.acknowledged, known?.acknowledged ?? 0) });
  step.state.sessions.set(name, restated);
  const had = new Set(record.own.map(({ tag }) => tag));
  const released = record.own[0]?.offset ?? 0;
  for (const { offset, tag, payload } of known?.own ?? []) if (offset >= released && !had.has(tag)) send(step, name, payload, tag);
}

function newSession(holder: string, { snapshot, acknowledged, epoch, own }: SessionRecord): MemorySession {
  return { snapshot, acknowledged, holder, isOver: false, epoch, own: own.slice(), head: own.at(-1)?.offset ?? 0 };
}

export function end(step: Step, name: string, session: MemorySession): void {
  session.isOver = true;
  session.own = [];
  if (session.holder !== step.node) notify(step, session.holder, { type: "taken", session: name });
  for (const { id, session: of } of step.state.present.values()) {
    if (of !== name) continue;
    step.state.present.delete(id);
    step.changes.push({ type: "absent", id });
  }
}

/** Into the session's own log. A session that has ended takes nothing. What its node has restated may be sent again with a batch that is repeated. */
export function send(step: Step, name: string, payload: LogEntry["payload"], tag: string): void {
  const session = step.state.sessions.get(name);
  if (session === undefined || session.isOver || session.own.some((one) => one.tag === tag)) return;
  const entry: LogEntry = { offset: ++session.head, tag, payload };
  session.own.push(entry);
  notify(step, session.holder, { type: "own", session: name, entry });
}

/** The client has all up to this offset. Its own entry stays: it shows another node that the client has nothing else. */
export function release({ state, node }: Step, name: string, released: number): void {
  const session = state.sessions.get(name);
  if (session?.holder === node) session.own = session.own.filter(({ offset }) => offset >= released);
}
