/** Turns as arguments of the scripts. */
import type { Counts, Present } from "../../src/cluster/feed.ts";
import type { Batch, Joining, Report } from "../../src/cluster/backplane.ts";
import type { Condition, OwnAsked, Publish, SessionRecord, Step, Turn } from "../../src/cluster/turns.ts";
import type { LogEntry } from "../../src/history/readable.ts";
import { lengthOf } from "../../src/values/data.ts";
import { formatPosition, parsePosition } from "../../src/protocol/positions.ts";
import { join, pack, packData } from "./codec.ts";
import type { Argument } from "./codec.ts";

/** Numbers that Lua counts with exactly. */
const most = 1e13;

function bounded(number: number): string {
  return String(Math.min(number, most));
}

function flag(is: boolean | undefined): string {
  return is === true ? "1" : "0";
}

export function encodeJoining(node: string, { life = "", newLife, numbers }: Joining): Argument[] {
  return [node, life, newLife, String(numbers.size), ...Array.from(numbers, ([topic, number]) => [topic, String(number)]).flat()];
}

export function encodePage(topic: string, after: string | undefined, limit: number): Argument[] {
  const position = after === undefined ? undefined : parsePosition(after);
  if (position === undefined || formatPosition(position.epoch, position.offset, position.tag) !== after)
    return [topic, "", "-1", "", String(limit)];
  return [topic, position.epoch, String(position.offset), position.tag, String(limit)];
}

export function encodeBatch({ node, life, number, after, tag, turns }: Batch): Argument[] {
  const out: Argument[] = [node, life, String(number), String(after), tag, String(turns.length)];
  for (const turn of turns) encodeTurn(out, turn);
  return out;
}

export function encodeReport(node: string, { life, counts }: Report, tag: string): Argument[] {
  return [node, life, encodeCounts(counts), tag];
}

/** Equal counts are equal bytes. */
function encodeCounts({ connections, topics }: Counts): Argument {
  const sorted = [...topics].sort(([a], [b]) => (a < b ? -1 : 1));
  return pack(connections, sorted.length, ...sorted.flat());
}

export function encodeOwn(node: string, asked: readonly OwnAsked[]): Argument[] {
  return [node, String(asked.length), ...asked.flatMap(({ session, after }) => [session, String(after)])];
}

function encodeTurn(out: Argument[], { condition, steps }: Turn): void {
  if (condition === undefined) out.push("-");
  else encodeCondition(out, condition);
  out.push(String(steps.length));
  for (const step of steps) encodeStep(out, step);
}

function encodeCondition(out: Argument[], condition: Condition): void {
  const { type, session } = condition;
  out.push(type, session);
  if (type === "message") out.push(String(condition.number));
  else if (type === "claim") out.push(String(condition.acknowledged), flag(condition.recent), flag(condition.orphan));
  else if (type === "create") out.push(condition.snapshot, condition.epoch);
  else if (type === "restate") encodeRecord(out, condition.record, condition.isOther);
}

function encodeRecord(out: Argument[], { snapshot, acknowledged, epoch, own }: SessionRecord, isOther: boolean): void {
  out.push(flag(isOther), snapshot, String(acknowledged), epoch, String(own.length));
  for (const entry of own) out.push(String(entry.offset), entry.tag, encodeEntry(entry));
}

/** All of an entry but where it is. */
function encodeEntry({ payload, except, epoch }: Pick<LogEntry, "payload" | "except" | "epoch">): Argument {
  return pack(packData(payload), encodeExcept(except), epoch === undefined ? "" : `e${epoch}`);
}

function encodeExcept(except: LogEntry["except"]): Argument {
  if (except === undefined) return "";
  return typeof except === "string" ? `i${except}` : join(["s", pack(except.size, ...except)]);
}

function encodeStep(out: Argument[], step: Step): void {
  out.push(step.type);
  switch (step.type) {
    case "publish":
      return encodePublish(out, step);
    case "reserve":
      return void out.push(step.log.topic, step.log.epoch);
    case "delete":
      return void out.push(step.topic, step.epoch);
    case "send":
      return void out.push(step.session, step.tag, encodeEntry({ payload: step.payload }));
    case "release":
      return void out.push(step.session, String(step.offset));
    case "message":
      return void out.push(step.node, step.connection, packData(step.payload));
    case "present":
      return void out.push(step.present.id, encodePresent(step.present));
    case "absent":
      return void out.push(step.id);
    case "state":
      return void out.push(step.session, step.snapshot);
  }
}

function encodePublish(out: Argument[], { kept, topics, all, payload, except, key, to, tag, time }: Publish): void {
  out.push(String(kept.length));
  for (const { topic, messages, bytes, seconds, epoch } of kept)
    out.push(topic, bounded(messages), bounded(bytes), bounded(seconds), epoch);
  const message = pack(tag, time, lengthOf(payload), packData(payload), encodeExcept(except));
  out.push(
    message,
    tag,
    String(time),
    String(lengthOf(payload)),
    pack(flag(all), key === undefined ? "" : `k${key}`, to === undefined ? "" : `t${to}`, topics.length, ...topics),
  );
}

function encodePresent({ node, session, member, state }: Present): Argument {
  return pack(node, session === undefined ? "" : `s${session}`, member, state);
}
