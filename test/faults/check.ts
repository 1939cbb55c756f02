/** What must be true of a room's log, whatever failed. */
import type { Line } from "./handler.ts";

/** What a client's connection was last seen to be, from the steps that succeeded. */
export interface Kept {
  value: number;
  readonly topics: Set<string>;
  member: string | undefined;
}

export function keptOf(log: readonly Line[], id: string): Kept {
  const kept: Kept = { value: 0, topics: new Set(), member: undefined };
  for (const line of log) {
    if (line.id !== id) continue;
    if (line.did === "setState") kept.value = line["value"] as number;
    if (line.did === "subscribe") kept.topics.add(line["topic"] as string);
    if (line.did === "unsubscribe") kept.topics.delete(line["topic"] as string);
    if (line.did === "present") kept.member = line["member"] as string;
    if (line.did === "absent") kept.member = undefined;
  }
  return kept;
}

export function idsOf(log: readonly Line[], hook: Line["hook"]): string[] {
  return log.flatMap((line) => (line.hook === hook && line.id !== undefined ? [line.id] : []));
}

/** `open` once, `close` at most once, and nothing after it. */
export function checkHooks(log: readonly Line[]): string[] {
  const wrong: string[] = [];
  const [opened, closed] = [new Set<string>(), new Set<string>()];
  for (const { id, hook, did } of log) {
    if (id === undefined) continue;
    if (hook === "open" && opened.has(id)) wrong.push(`${id} opened twice`);
    if (hook === "close" && closed.has(id)) wrong.push(`the close hook of ${id} ran twice`);
    if (hook === "close" && !opened.has(id)) wrong.push(`${id} closed before it opened`);
    if (hook === "open") opened.add(id);
    if (did !== undefined && !opened.has(id)) wrong.push(`${id} did ${did} before it opened`);
    if (hook === "close") closed.add(id);
  }
  return wrong;
}

/** The alarm that was set last has come: its hook has succeeded, or has failed seven times. None that was replaced or cleared has. */
export function checkAlarm(log: readonly Line[], now: number): string[] {
  const wrong: string[] = [];
  let set: number | null = null;
  let runs: unknown[] = [];
  let succeeded = false;
  for (const line of log) {
    if (line.did === "setAlarm") {
      set = line["time"] as number | null;
      runs = [];
      succeeded = false;
    } else if (line.hook === "alarm") {
      if (line["scheduledTime"] !== set) wrong.push(`the alarm of ${String(line["scheduledTime"])} ran, where ${String(set)} was set`);
      runs.push(line["retryCount"]);
    } else if (line.did === "alarm" && line["scheduledTime"] === set) succeeded = true;
  }
  if (set !== null && set <= now && !succeeded && runs.length < 7) wrong.push(`the alarm of ${set} is lost; it ran ${runs.length} times`);
  if (runs.length > 20) wrong.push(`an alarm ran ${runs.length} times`);
  return wrong;
}
