/** What a turn does, in a backplane in memory. */
import type { Publish, Step as TurnStep } from "../turns.ts";
import type { Present } from "../feed.ts";
import { append, replace, reserve } from "./logs.ts";
import { release, send } from "./sessions.ts";
import { notify } from "./state.ts";
import type { Step } from "./state.ts";

export function carryOut(step: Step, one: TurnStep): void {
  switch (one.type) {
    case "publish":
      return publish(step, one);
    case "reserve":
      return void reserve(step, one.log);
    case "delete":
      return replace(step, one.topic, one.epoch);
    case "send":
      return send(step, one.session, one.payload, one.tag);
    case "release":
      return release(step, one.session, one.offset);
    case "message":
      return notify(step, one.node, { type: "message", connection: one.connection, payload: one.payload });
    case "present":
      return present(step, one.present);
    case "absent":
      if (step.state.present.delete(one.id)) step.changes.push({ type: "absent", id: one.id });
      return;
    case "state":
      return write(step, one.session, one.snapshot);
  }
}

function publish(step: Step, one: Publish): void {
  const { topics, all = false, payload, except, key, to, tag, time } = one;
  step.changes.push({ type: "published", entries: append(step, one), topics, all, payload, except, key, to, tag, time });
}

/** Of a session's connection its holder alone says so. */
function present({ state, node, changes }: Step, one: Present): void {
  const session = one.session === undefined ? undefined : state.sessions.get(one.session);
  if (one.session !== undefined && (session === undefined || session.isOver || session.holder !== node)) return;
  state.present.set(one.id, one);
  changes.push({ type: "present", present: one });
}

function write({ state, node }: Step, name: string, snapshot: string): void {
  const session = state.sessions.get(name);
  if (session?.holder === node && !session.isOver) session.snapshot = snapshot;
}
