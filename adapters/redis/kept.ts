/** What outlives a room's nodes, in Redis: values, tasks, and which rooms have some due. */
import type { RoomKept } from "../../src/cluster/backplane.ts";
import type { Question } from "../../src/cluster/mail.ts";
import type { BackplaneDue, BackplaneTasks, DueRoom, LaneClaim, NewTask, SettledTask, Task } from "../../src/cluster/tasks.ts";
import type { BackplaneValues, FoundValues, ValueWrite, ValuesWritten } from "../../src/cluster/values.ts";
import { randomWord } from "../../src/history/random.ts";
import { Reader } from "./codec.ts";
import type { Argument } from "./codec.ts";
import { dueScripts, keptScripts } from "./script.ts";
import type { Script } from "./script.ts";

export type RunScript = (script: Script, args: readonly Argument[]) => Promise<Uint8Array>;

/** @param enter the room is due then, or in so many milliseconds. */
export function keptInRedis(run: RunScript, server: string, enter: Enter, replicated: () => Promise<void>): RoomKept {
  return {
    values: valuesInRedis(run, replicated),
    tasks: tasksInRedis(run, server, enter, replicated),
    async ask({ id, from, body }: Question) {
      const reader = new Reader(await run(keptScripts.ask, [randomWord(), id, from, body]));
      return reader.list(() => reader.text());
    },
  };
}

// ---- Values

function valuesInRedis(run: RunScript, replicated: () => Promise<void>): BackplaneValues {
  return {
    async get(key) {
      const reader = new Reader(await run(keptScripts.getValue, [key]));
      const version = reader.text();
      if (reader.text() === "0") return { version, value: undefined };
      const tag = reader.text();
      return { version, value: { tag, text: reader.text() } };
    },
    async list({ prefix, after, limit }) {
      return readValues(new Reader(await run(keptScripts.listValues, [prefix, ...optional(after), String(limit)])));
    },
    async write(write) {
      const written = readWritten(new Reader(await run(keptScripts.writeValues, encodeWrite(write))));
      if (written.isWritten) await replicated();
      return written;
    },
  };
}

/** Whether it is there, and what it is. */
function optional(text: string | undefined): readonly [string, string] {
  return text === undefined ? ["0", ""] : ["1", text];
}

function encodeWrite({ tag, clear = false, version, expected = new Map(), changes }: ValueWrite): Argument[] {
  const args = [tag, clear ? "1" : "0", ...optional(version)];
  for (const map of [expected, changes]) {
    args.push(String(map.size));
    for (const [key, text] of map) args.push(key, ...optional(text));
  }
  return args;
}

function readValues(reader: Reader): FoundValues {
  return { version: reader.text(), entries: reader.list(() => [reader.text(), reader.text()] as const) };
}

function readWritten(reader: Reader): ValuesWritten {
  return { version: reader.text(), isWritten: reader.text() === "1", existed: reader.list(() => reader.text()) };
}

// ---- Tasks

/** A time, or milliseconds from now. */
export type Enter = (kind: "at" | "in", time: number) => Promise<void>;

function tasksInRedis(run: RunScript, server: string, enter: Enter, replicated: () => Promise<void>): BackplaneTasks {
  /** Before, so that nothing is forgotten; after, so that whoever looked meanwhile looks again. */
  async function entered(kind: "at" | "in", time: number, store: () => Promise<boolean>): Promise<boolean> {
    await enter(kind, time);
    const isStored = await store();
    if (isStored) await Promise.all([enter(kind, time), replicated()]);
    return isStored;
  }
  const isDone = async (script: Script, args: readonly Argument[]): Promise<boolean> =>
    new TextDecoder().decode(await run(script, args)) === "1";
  return {
    put: (task) => entered(task.time === undefined ? "in" : "at", task.time ?? 0, () => isDone(keptScripts.putTask, encodeTask(task))),
    remove: (lane, id) => isDone(keptScripts.removeTask, [lane, id]),
    async list(lane, after, limit) {
      const reader = new Reader(await run(keptScripts.listTasks, [lane, ...optional(after), String(limit)]));
      return reader.list(readTask);
    },
    claim: async (lane) => readClaim(new Reader(await run(keptScripts.claimLane, [lane, server]))),
    settle(settled) {
      const settle = (): Promise<boolean> => isDone(keptScripts.settleTask, encodeSettled(settled, server));
      return settled.again === undefined ? settle() : entered("in", settled.again, settle);
    },
  };
}

function encodeTask({ lane, id, tag, time, isRepeated, body, most }: NewTask): Argument[] {
  return [lane, id, tag, time === undefined ? "1" : "0", String(time ?? 0), isRepeated ? "1" : "0", body, String(most)];
}

function encodeSettled({ lane, id, tag, again }: SettledTask, server: string): Argument[] {
  return [lane, server, id, tag, again === undefined ? "0" : "1", String(again ?? 0)];
}

function readTask(reader: Reader): Task {
  const [id, tag, time] = [reader.text(), reader.text(), reader.number()];
  const [isRepeated, runs] = [reader.text() === "1", reader.number()];
  return { id, tag, time, isRepeated, runs, body: reader.text() };
}

function readClaim(reader: Reader): LaneClaim {
  const next = reader.text();
  const task = reader.text() === "1" ? readTask(reader) : undefined;
  const interrupted = reader.list(readTask);
  return { task, interrupted, next: next === "" ? undefined : Number(next) };
}

export function dueInRedis(run: RunScript, lease: number): BackplaneDue {
  return {
    async take(limit) {
      const reader = new Reader(await run(dueScripts.take, [String(limit), String(lease)]));
      const next = reader.text();
      const rooms = reader.list((): DueRoom => ({ room: reader.text(), mark: reader.text() }));
      return { rooms, next: next === "" ? undefined : Number(next) };
    },
    async looked({ room, mark }, next) {
      await run(dueScripts.looked, [room, mark, next === undefined ? "" : String(next)]);
    },
  };
}
