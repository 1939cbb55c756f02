/**
 * The scripts that control the test application. A case puts a script for each hook into the handshake's URL, so one running server serves all
 * cases. Runs on every runtime. A script is synchronous unless a step is not.
 */
import { ask, type Ask } from "./calls.ts";
import { describe, gate, oddState, sleep, type OddState } from "./odd.ts";
import { show } from "./show.ts";
import { unsendable, type Unsendable } from "./unsendable.ts";
import type {
  Connection,
  Data,
  History,
  HistoryReader,
  LocalRoom,
  PublishOptions,
  Room,
  RoomTransaction,
  Sendable,
  SendOptions,
  UpgradeResult,
} from "edgewire";

/** What to send: text, bytes, many equal bytes or letters, or one of the unusual values below. */
export type Value =
  | string
  | { readonly bytes: readonly number[] }
  | { readonly fill: number; readonly size: number }
  | { readonly letter: string; readonly times: number }
  | { readonly odd: Odd };

export type Odd = keyof typeof oddValues;

export type Step =
  | readonly ["send", Value, options?: SendOptions]
  | readonly ["echo"]
  | readonly ["sendThenChange", readonly number[]]
  | readonly ["flood", count: number, size: number]
  | readonly ["close", code?: number, reason?: string]
  | readonly ["terminate"]
  | readonly ["sleep", number]
  | readonly ["hold" | "release", name: string]
  | readonly ["drained"]
  | readonly ["untilAborted"]
  | readonly ["throw", string]
  | readonly ["reject", string]
  | readonly ["waitUntil" | "roomWaitUntil", milliseconds: number, error?: string]
  /** Work that ends after the connection has closed. */
  | readonly ["waitUntilClosed"]
  | readonly ["waitUntilOdd", value: unknown]
  | readonly ["setState", unknown]
  | readonly ["renew", number | null]
  | readonly ["subscribe", topic: string, history?: true | { readonly after: string }]
  | readonly ["unsubscribe", string]
  | readonly ["roomPublish", topics: string | readonly string[], Value, options?: PublishOptions]
  | readonly ["history", topic: string, reader?: HistoryReader]
  | readonly ["publish", string, Value, options?: PublishOptions]
  /** A small message with each of that many keys. */
  | readonly ["publishKeys", topic: string, count: number]
  | readonly ["inspect"]
  | readonly ["show"]
  | readonly ["stats"]
  | readonly ["setAlarm", inMilliseconds: number | null | string]
  | readonly ["setAlarmAt", time: number]
  | readonly ["room", method: RoomMethod, ...args: readonly unknown[]]
  | readonly ["far", room: string, method: RoomMethod, ...args: readonly unknown[]]
  | readonly ["describe"]
  | readonly ["peers"]
  | readonly ["present", member: unknown, state?: unknown]
  | readonly ["presentOdd", member: string, key: string]
  | readonly ["absent"]
  | readonly ["presence"]
  | readonly ["storage", ...StorageCall]
  | readonly ["ask", Ask]
  | readonly ["deadline", number]
  | readonly ["repeat", number, Script];

export type Script = readonly Step[];

export type RoomMethod =
  | "publish"
  | "broadcast"
  | "connections"
  | "count"
  | "topics"
  | "deleteHistory"
  | "send"
  | "disconnect"
  | "close"
  | "delete"
  | "schedule"
  | "scheduled"
  | "unschedule";

/** A script for a room's own hooks. They have no URL, so it follows a `#` in the room's name. */
export interface RoomScripts {
  readonly open?: readonly RoomStep[];
  readonly empty?: readonly RoomStep[];
  readonly alarm?: readonly RoomStep[];
}

export type RoomStep =
  | readonly ["sleep", number]
  | readonly ["throw", string]
  | readonly ["throwFirst", string]
  | readonly ["broadcast", string]
  | readonly ["setAlarm", inMilliseconds: number]
  | readonly ["setAlarmFirst", inMilliseconds: number]
  | readonly ["clearAlarm"];

/** A call of `room.storage`. `setOdd` is `set` with a value that JSON can't represent; `together` makes all in one turn. */
export type StorageCall =
  | readonly ["get" | "delete", key: string]
  | readonly ["set", key: string, value: unknown]
  | readonly ["setOdd", key: string, value: OddState]
  | readonly ["list", range?: { readonly prefix?: string; readonly after?: string; readonly limit?: number }]
  | readonly ["clear" | "sync"]
  | readonly ["update", key: string, change: Change]
  | readonly ["transaction", steps: readonly TransactionStep[]]
  | readonly ["together", ...calls: readonly Inner[]];

/** A `StorageCall` inside another, whose type would contain itself. */
type Inner = readonly [method: string, ...args: readonly unknown[]];

/** What the function of an update does. `later`: after some milliseconds. */
export type Change =
  | { readonly add: number; readonly later?: number; readonly until?: string }
  | { readonly odd: OddState }
  | { readonly throws: string }
  | { readonly rejects: string }
  | { readonly waitsFor: Inner };

/** A call of a transaction's `values`, or what else its function does. */
export type TransactionStep =
  | readonly ["get" | "delete", key: string]
  | readonly ["set", key: string, value: unknown]
  | readonly ["list"]
  | readonly ["clear"]
  | readonly ["hold", name: string]
  | readonly ["throws", string]
  | readonly ["waitsFor", Inner];

/** An `expiresAt` that is a Date, which JSON can't represent either. */
export interface OddExpiry {
  readonly expiresAtDate: number;
}

/** A script for `upgrade`: the last step decides. */
export type UpgradeStep =
  | readonly ["sleep", number]
  | readonly ["accept", UpgradeResult, odd?: OddState | OddExpiry | undefined]
  | readonly ["nothing"]
  | readonly ["refuse" | "throwResponse", { readonly status: number; readonly headers?: HeadersInit; readonly body?: string }]
  | readonly ["unsendable" | "throwUnsendable", kind: Unsendable, text: string]
  | readonly ["throw", string]
  | readonly ["reject", string]
  | readonly ["never"];

/** Writes one line of the log; see handler.ts. */
export type Note = (fields: Record<string, unknown>) => void;

export function runScript(script: Script, connection: Connection, data: Data | undefined, note: Note, from = 0): void | Promise<void> {
  for (let index = from; index < script.length; index++) {
    const pending = runStep(script[index]!, connection, data, note);
    if (pending !== undefined) return pending.then(() => runScript(script, connection, data, note, index + 1));
  }
}

export function runUpgrade(
  script: readonly UpgradeStep[],
  from = 0,
): UpgradeResult | Response | void | Promise<UpgradeResult | Response | void> {
  for (let index = from; index < script.length; index++) {
    const step = script[index]!;
    switch (step[0]) {
      case "sleep":
        return sleep(step[1]).then(() => runUpgrade(script, index + 1));
      case "accept":
        return step[2] === undefined ? step[1] : { ...step[1], ...odd(step[2]) };
      case "nothing":
        return undefined;
      case "refuse":
        return new Response(step[1].body ?? null, step[1]);
      case "throwResponse":
        throw new Response(step[1].body ?? null, step[1]);
      case "unsendable":
        return unsendable(step[1], step[2]);
      case "throwUnsendable": {
        const response = unsendable(step[1], step[2]);
        if (response instanceof Response) throw response;
        return response.then((one) => Promise.reject(one));
      }
      case "throw":
        throw new Error(step[1]);
      case "reject":
        return Promise.reject(new Error(step[1]));
      case "never":
        return new Promise(() => {});
    }
  }
}

export function roomScripts(name: string): RoomScripts {
  const start = name.indexOf("#{");
  return start < 0 ? {} : (JSON.parse(name.slice(start + 1)) as RoomScripts);
}

/** @param first whether this hook runs for the first time in this room. */
export function runRoomScript(script: readonly RoomStep[], room: LocalRoom, first: boolean, from = 0): void | Promise<void> {
  for (let index = from; index < script.length; index++) {
    const step = script[index]!;
    if (step[0] === "sleep") return sleep(step[1]).then(() => runRoomScript(script, room, first, index + 1));
    if (step[0] === "broadcast") room.broadcast(step[1]);
    else if (step[0] === "clearAlarm") room.setAlarm(null);
    else if (step[0] === "setAlarm" || step[0] === "setAlarmFirst") {
      if (first || step[0] === "setAlarm") room.setAlarm(Date.now() + step[1]);
    } else if (first || step[0] === "throw") throw new Error(step[1]);
  }
}

/** Calls a room from inside or outside. Results that JSON can't represent are converted. */
export function callMethod(room: Room | LocalRoom, method: RoomMethod, args: readonly unknown[]): unknown {
  const given = args.map((arg) =>
    typeof arg === "object" && arg !== null && "bytes" in arg ? new Uint8Array(arg.bytes as number[]) : arg,
  );
  const plain = (result: unknown): unknown => (result instanceof Map ? [...result] : result);
  const result: unknown = (room[method] as (...args: unknown[]) => unknown)(...given);
  return result instanceof Promise ? result.then(plain) : plain(result);
}

function runStep(step: Step, connection: Connection, data: Data | undefined, note: Note): Promise<void> | undefined {
  switch (step[0]) {
    case "sleep":
      return sleep(step[1]);
    case "hold":
      return gate(step[1]).promise;
    case "release":
      gate(step[1]).resolve();
      return undefined;
    case "drained":
      return connection.drained().then(() => note({ did: "drained", phase: connection.phase }));
    case "untilAborted":
      return aborted(connection.signal).catch((reason: unknown) => {
        note({ did: "untilAborted", phase: connection.phase });
        throw reason;
      });
    case "throw":
      throw new Error(step[1]);
    case "reject":
      return Promise.reject(new Error(step[1]));
    case "waitUntil":
    case "roomWaitUntil":
      (step[0] === "waitUntil" ? connection : connection.room).waitUntil(work(step[1], step[2], connection, note));
      return undefined;
    case "waitUntilClosed":
      connection.waitUntil(afterClose(connection, note));
      return undefined;
    case "repeat":
      for (let round = 0; round < step[1]; round++) runScript(step[2], connection, data, note);
      return undefined;
    case "inspect":
      note({ did: "inspect", ...inspect(connection) });
      return undefined;
    case "show":
      note({ did: "show", ...show(connection) });
      return undefined;
    case "storage":
      return store(step, connection, note);
    case "ask":
      return ask(connection.rooms, step[1]).then(
        (outcome) => note({ did: "ask", outcome }),
        (error: Error) => note({ did: "ask", threw: error.name, message: error.message }),
      );
    case "far":
      return Promise.resolve(callMethod(connection.rooms.room(step[1]), step[2], step.slice(3))).then((result) =>
        note({ did: "far", result }),
      );
    case "deadline":
      note({ did: "deadline", ...attempt(() => void connection.rooms.room("r", { deadline: step[1] })) });
      return undefined;
    case "describe":
      note({ did: "describe", state: describe(connection.state) });
      return undefined;
    default:
      note({ did: step[0], ...attempt(() => act(step, connection, data)) });
      return undefined;
  }
}

/** What `waitUntil` gets; its end is in the log. */
async function work(milliseconds: number, error: string | undefined, connection: Connection, note: Note): Promise<void> {
  await sleep(milliseconds);
  note({ did: "work", phase: connection.phase });
  if (error !== undefined) throw new Error(error);
}

/** Gives up after 10 seconds: its line then has the phase. */
async function afterClose(connection: Connection, note: Note): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (connection.phase !== "closed" && Date.now() < deadline) await sleep(20);
  await work(20, undefined, connection, note);
}

/** The steps whose result or error is logged for the case. */
function act(step: Step, connection: Connection, data: Data | undefined): unknown {
  switch (step[0]) {
    case "send":
      return step[2] === undefined ? connection.send(toSendable(step[1])) : connection.send(toSendable(step[1]), step[2]);
    case "echo":
      return connection.send(data ?? "nothing to echo");
    case "flood":
      return flood(connection, step[1], step[2]);
    case "sendThenChange": {
      const bytes = new Uint8Array(step[1]);
      const result = connection.send(bytes);
      bytes.fill(0xee);
      return result;
    }
    case "close":
      // JSON converts an omitted argument to `null`.
      return connection.close(step[1] ?? undefined, step[2] ?? undefined);
    case "terminate":
      return connection.terminate();
    case "setState":
      return connection.setState(step[1]);
    case "renew":
      return connection.renew(step[1]);
    case "subscribe":
      return step[2] === undefined ? connection.subscribe(step[1]) : connection.subscribe(step[1], { history: step[2] });
    case "unsubscribe":
      return connection.unsubscribe(step[1]);
    case "publish":
      return connection.publish(step[1], toSendable(step[2]), step[3]);
    case "publishKeys":
      for (let key = 0; key < step[2]; key++) connection.publish(step[1], "x", { key: String(key) });
      return undefined;
    case "stats":
      return connection.room.stats();
    case "roomPublish":
      return connection.room.publish(step[1], toSendable(step[2]), step[3]);
    case "history":
      return shownHistory(connection.room.history(step[1], step[2]));
    case "setAlarm":
      return connection.room.setAlarm(typeof step[1] === "number" ? Date.now() + step[1] : (step[1] as null));
    case "setAlarmAt":
      return connection.room.setAlarm(step[1]);
    case "room":
      return callMethod(connection.room, step[1], step.slice(2));
    case "present":
      // JSON converts a missing state to `null`.
      return connection.present(step[1] as string, step[2] ?? undefined);
    case "presentOdd":
      return connection.present(step[1], oddState({ functionAt: step[2] }));
    case "absent":
      return connection.absent();
    case "presence":
      return connection.room.presence();
    case "waitUntilOdd":
      return connection.waitUntil(step[1] as Promise<unknown>);
    case "peers":
      return [...connection.peers()].map((peer) => peer.id).sort();
    default:
      throw new Error(`no step ${JSON.stringify(step)}`);
  }
}

async function store(step: Step & readonly ["storage", ...unknown[]], connection: Connection, note: Note): Promise<void> {
  const [, method, ...args] = step;
  try {
    note({ did: "storage", result: describe(await callStorage(connection, method, args)) });
  } catch (error) {
    note({ did: "storage", threw: (error as Error).name, message: (error as Error).message });
  }
}

/** Converts data to JSON; bytes are marked as such. */
export function shownHistory({ entries, ...read }: History): ShownHistory {
  const shown = entries.map(({ position, data, time }) => ({
    position,
    data: typeof data === "string" ? data : { bytes: [...data.subarray(0, 32)], size: data.byteLength },
    time,
  }));
  return { ...read, entries: shown };
}

export interface ShownHistory extends Omit<History, "entries"> {
  readonly entries: readonly {
    readonly position: string;
    readonly data: string | { readonly bytes: readonly number[]; readonly size: number };
    readonly time: number;
  }[];
}

/** Not async, because an invalid argument must throw synchronously. */
function callStorage(connection: Connection, method: StorageCall[0], args: readonly unknown[]): Promise<unknown> {
  const { room } = connection;
  const [key, value] = args as [string, OddState];
  if (method === "setOdd") return room.storage.set(key, oddState(value));
  if (method === "update") return room.storage.update(key, (before) => change(connection, args[1] as Change, before as number));
  if (method === "transaction") return transact(connection, args[0] as readonly TransactionStep[]);
  if (method === "together") {
    return Promise.all(
      (args as StorageCall[]).map(([one, ...rest]) =>
        callStorage(connection, one, rest).catch((error: unknown) => String(error).slice(0, 80)),
      ),
    );
  }
  return (room.storage[method] as (...args: unknown[]) => Promise<unknown>)(...args);
}

function change(connection: Connection, one: Change, before = 0): unknown {
  if ("throws" in one) throw new Error(one.throws);
  if ("rejects" in one) return Promise.reject(new Error(one.rejects));
  if ("odd" in one) return oddState(one.odd);
  if ("waitsFor" in one) return callStorage(connection, one.waitsFor[0] as StorageCall[0], one.waitsFor.slice(1));
  if (one.until !== undefined) return gate(one.until).promise.then(() => before + one.add);
  return one.later === undefined ? before + one.add : sleep(one.later).then(() => before + one.add);
}

/** What each step came to, and then what a use of `values` throws once the transaction has ended. */
async function transact(connection: Connection, steps: readonly TransactionStep[]): Promise<unknown> {
  let late: RoomTransaction | undefined;
  const results = await connection.room.storage.transaction(async (values) => {
    late = values;
    const found: unknown[] = [];
    for (const [step, ...args] of steps) {
      if (step === "throws") throw new Error(args[0] as string);
      if (step === "hold") await gate(args[0] as string).promise;
      else if (step === "waitsFor") {
        const [method, ...rest] = args[0] as StorageCall;
        found.push(await callStorage(connection, method, rest));
      } else found.push(await (values[step] as (...args: unknown[]) => Promise<unknown>)(...args));
    }
    return found;
  });
  return [...results, attempt(() => void late?.get("a"))];
}

/** Sends numbered messages in one turn (see `readFlood`). Returns a letter for each result: `s`ent, `b`ackpressure, `d`ropped, `c`losed. */
function flood(connection: Connection, count: number, size: number): string {
  let results = "";
  const bytes = new Uint8Array(size);
  for (let index = 0; index < count; index++) {
    bytes.fill(index);
    new DataView(bytes.buffer).setUint32(0, index);
    results += connection.send(bytes)[0];
  }
  return results;
}

function attempt(action: () => unknown): { result: unknown } | { threw: string; message: string } {
  try {
    return { result: action() };
  } catch (error) {
    return { threw: (error as Error).name, message: (error as Error).message };
  }
}

function inspect(connection: Connection): Record<string, unknown> {
  const { id, room, url, protocol, remoteAddress, phase, state, topics, expiresAt, bufferedAmount } = connection;
  return { id, room: room.name, url, protocol, remoteAddress, phase, state, topics: [...topics], expiresAt, bufferedAmount };
}

function odd(given: OddState | OddExpiry): UpgradeResult {
  if (typeof given === "object" && "expiresAtDate" in given) return { expiresAt: new Date(given.expiresAtDate) };
  return { state: oddState(given) };
}

const oddValues = {
  null: () => null,
  undefined: () => undefined,
  number: () => 1,
  bigint: () => 1n,
  object: () => ({}),
  array: () => [1, 2],
  blob: () => new Blob(["x"]),
  arrayBuffer: () => new Uint8Array([1, 2, 3]).buffer,
  emptyBuffer: () => new ArrayBuffer(0),
  subarray: () => new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 4),
  dataView: () => new DataView(new Uint8Array([0, 1, 2, 3, 4]).buffer, 1, 3),
  uint16: () => new Uint16Array([0x0201, 0x0403]),
  sharedView: () => {
    const view = new Uint8Array(new SharedArrayBuffer(4)).subarray(1);
    view.set([1, 2, 3]);
    return view;
  },
  sharedBuffer: () => new SharedArrayBuffer(2),
  loneSurrogate: () => "a\ud800b",
} as const;

function toSendable(value: Value): Sendable {
  if (typeof value === "string") return value;
  if ("bytes" in value) return new Uint8Array(value.bytes);
  if ("fill" in value) return new Uint8Array(value.size).fill(value.fill);
  if ("letter" in value) return value.letter.repeat(value.times);
  // Some of them are deliberately not Sendable.
  return oddValues[value.odd]() as unknown as Sendable;
}

/** Rejects with the signal's reason, like `fetch`. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason));
  });
}
