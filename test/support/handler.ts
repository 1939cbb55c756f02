/**
 * The application that every runtime serves for the contract. The handshake's URL says what it does (script.ts). Each hook call is one line of its
 * log: `@@` and JSON on stdout, which is ordered, is kept when the client ends, and works on every runtime.
 */
import { delivery } from "edgewire/delivery";
import {
  defineHandler,
  type Connection,
  type Data,
  type Handler,
  type HistorySettings,
  type LocalRoom,
  type MessageInfo,
  type Observer,
} from "edgewire";
import { calls } from "./calls.ts";
import { scheduledCalls } from "./schedules.ts";
import { roomScripts, runRoomScript, runScript, runUpgrade, type Note, type Script, type UpgradeStep, type RoomStep } from "./script.ts";

/** One handler for each set of options that a case needs; each has its own listener on every runtime. */
export const handlerNames = [
  "main",
  "second",
  "tight",
  "protocols",
  "strict",
  "origins",
  "rule",
  "anywhere",
  "proxied",
  "dropping",
  "bare",
  "lively",
  "mute",
  "limited",
  "lossy",
  "crowded",
  "few",
  "addressed",
  "networks",
  "latest",
  "deflating",
  "fleeting",
  "narrow",
  "named",
  "stored",
  "waking",
  "delivering",
  "brief",
  "frugal",
  "instant",
  "seated",
  "fickle",
] as const;
export type HandlerName = (typeof handlerNames)[number];

/** Of the handlers with delivery. */
const logs = (topic: string): HistorySettings | undefined =>
  topic.startsWith("plain") ? undefined : { messages: topic.startsWith("last five") ? 5 : 1000 };

/** Larger than the `maxBuffered` of the handlers that use it. */
const long = { messages: 1000, bytes: 64 * 1024 * 1024 };

const options: Record<HandlerName, Handler> = {
  main: {
    history(topic) {
      if (topic.startsWith("last five")) return { messages: 5 };
      if (topic.startsWith("last bytes")) return { bytes: 1000 };
      if (topic.startsWith("many")) return { messages: 1000 };
      if (topic.startsWith("second")) return { seconds: 1 };
      return topic.startsWith("coded") ? { messages: 5, encode: ({ data, position }) => JSON.stringify([position, data]) } : undefined;
    },
  },
  second: {},
  tight: {
    maxPayload: 1000,
    maxQueued: 4,
    upgradeTimeout: 300,
    closeTimeout: 300,
    origins: (origin) => origin === "https://never.example" && new Promise<boolean>(() => {}),
  },
  protocols: { protocols: ["v2", "v1"] },
  strict: { protocols: ["v2", "v1"], requireProtocol: true },
  origins: {
    origins: [
      "https://app.example",
      "https://*.wild.example",
      "http://ported.example:8080",
      "https://bücher.example",
      "https://*.Müller.example",
      "http://[0:0:0:0:0:0:0:1]:5173",
      "https://dotted.example.",
      "http://127.1:8080",
      "http://localhost:*",
      "https://*.ports.example:*",
      "chrome-extension://abcdefgh",
      "file://",
      "null",
    ],
  },
  rule: {
    origins(origin) {
      if (origin === "https://broken.example") return Promise.reject(new Error("broken"));
      if (origin === "https://odd.example") return Promise.resolve("yes" as never);
      if (!origin.startsWith("https://slow.")) return origin.endsWith("//ruled.example");
      return new Promise((resolve) => setTimeout(resolve, 20, origin === "https://slow.ruled.example"));
    },
  },
  anywhere: { origins: "*" },
  proxied: { trustProxy: true },
  dropping: { slowConsumer: "drop", maxBuffered: 256 * 1024, highWaterMark: 16 * 1024, history: { long } },
  bare: {},
  stored: {},
  waking: {},
  lively: { heartbeat: { interval: 500, timeout: 1000 } },
  mute: { heartbeat: false },
  // A rate so low that even on a slow machine only the burst gets through.
  limited: { rate: { messages: 1, bytes: 2000, burst: 5 }, maxPayload: 10_000, maxTopics: 3, maxName: 64 },
  lossy: { rate: { messages: 1, burst: 5, over: "drop" } },
  crowded: { maxConnectionsPerRoom: 2 },
  few: { maxConnections: 2, upgradeTimeout: 300 },
  addressed: { maxConnectionsPerAddress: 2, trustProxy: true },
  networks: { trustProxy: ["127.0.0.0/8", "10.0.0.0/8"] },
  latest: { slowConsumer: "coalesce", maxBuffered: 4 * 1024 * 1024, highWaterMark: 16 * 1024, history: { long } },
  named: {
    hosts: ["shop.example", "*.wild.example", "ported.example:8080", "Bücher.example", "[::1]", "secure.example:443"],
    trustProxy: true,
  },
  deflating: { compression: true },
  fleeting: { maxConnections: 2, closeTimeout: 300 },
  narrow: { maxBuffered: 256 * 1024, highWaterMark: 16 * 1024, history: { long } },
  delivering: { delivery: delivery(), history: logs },
  brief: { delivery: delivery({ resumeTimeout: 300 }), history: logs },
  frugal: {
    delivery: delivery({ window: 2048, directLog: { messages: 16, bytes: 64 * 1024 }, maxInFlight: 4, maxLogs: 3, maxDisconnected: 2 }),
    highWaterMark: 1024,
    history: logs,
  },
  fickle: { delivery: delivery({ resumeTimeout: 0 }) },
  instant: { delivery: delivery({ resumeTimeout: 0, rememberAcknowledged: 0, required: true }), protocols: ["v2", "v1"] },
  seated: { delivery: delivery(), maxConnections: 3, maxConnectionsPerRoom: 2 },
};

/** Handlers with delivery report what `observe` is told of it. */
const delivering: readonly HandlerName[] = ["delivering", "brief", "frugal", "instant", "seated", "fickle"];

/** Handlers whose rooms can be called from outside. */
export const outsideNames: readonly HandlerName[] = ["main", ...delivering];

export type Handlers = Record<HandlerName, ReturnType<typeof defineHandler>>;

/** Writes a line of the log. */
export type Report = (line: string) => void;

/** @param options `objects`: each handler has a Durable Object binding; otherwise rooms are in memory. `rooms`: there are rooms with hooks. */
export function createHandlers({
  report = (line) => console.log(line),
  objects = false,
  rooms = true,
}: { report?: Report; objects?: boolean; rooms?: boolean } = {}): Handlers {
  const made = handlerNames.map((name) => {
    const hooks = name === "bare" ? bareHooks() : scriptedHooks(name, report);
    return [
      name,
      defineHandler({
        ...hooks,
        ...(rooms && name !== "bare" ? roomHooks(name, report) : {}),
        ...optionsOf(name, rooms),
        ...(delivering.includes(name) ? { observe: observer(name, report) } : {}),
        ...(rooms && name === "main" ? { calls: { ...calls, ...scheduledCalls } } : {}),
        ...(objects ? { binding: bindingOf(name) } : {}),
      }),
    ] as const;
  });
  return Object.fromEntries(made) as Handlers;
}

/** `worker()` refuses delivery, as it does hooks of rooms. */
function optionsOf(name: HandlerName, rooms: boolean): Handler {
  const { delivery: sessions, ...others } = options[name];
  return rooms && sessions !== undefined ? { ...others, delivery: sessions } : others;
}

/** The name of a handler's Durable Object binding and class. */
export const bindingOf = (name: HandlerName): string => name.toUpperCase();
export const classOf = (name: HandlerName): string => name[0]!.toUpperCase() + name.slice(1);

/** Returns only a room, so that it also works on a Durable Object. */
function bareHooks(): Handler {
  return { upgrade: () => ({ room: "bare" }) };
}

function scriptedHooks(name: HandlerName, report: Report): Handler {
  const seen = new Map<string, Connection>();
  const noteFor = notesOf(name, report);
  const run = (hook: string, connection: Connection, fields: object, data?: Data): void | Promise<void> => {
    const note = noteFor(connection.url, connection.id);
    note({ hook, ...fields, phase: connection.phase, same: (seen.get(connection.id) ?? connection) === connection });
    return finally_(
      () => runScript(scriptFor(hook, connection, data), connection, data, note),
      () => note({ done: hook }),
    );
  };
  return {
    upgrade(request, context) {
      const note = noteFor(request.url);
      const { searchParams } = new URL(request.url);
      const script = JSON.parse(searchParams.get("upgrade") ?? "null") as readonly UpgradeStep[] | null;
      note({
        hook: "upgrade",
        url: request.url,
        method: request.method,
        address: context.remoteAddress,
        cookie: request.headers.get("cookie"),
      });
      const room = searchParams.get("room") ?? searchParams.get("tag") ?? "lobby";
      return finally_(
        () =>
          runUpgrade(
            (script ?? [["accept", { room }]]).map((step) => (step[0] === "accept" ? ["accept", { room, ...step[1] }, step[2]] : step)),
          ),
        () => note({ done: "upgrade" }),
      );
    },
    open(connection) {
      seen.set(connection.id, connection);
      return run("open", connection, { room: connection.room.name, protocol: connection.protocol });
    },
    ...(name === "waking" ? { wake: (connection: Connection) => run("wake", connection, {}) } : {}),
    message: (connection, data, info) => run("message", connection, { data: summary(data), ...shownInfo(info) }, data),
    drop: (connection, dropped) => run("drop", connection, { ...dropped }),
    presence: (room, diff) => void room.publish("presence", JSON.stringify(diff)),
    drain: (connection) => run("drain", connection, { buffered: connection.bufferedAmount }),
    close(connection, closing) {
      const closed = run("close", connection, { ...closing });
      seen.delete(connection.id);
      return closed;
    },
    error(error, { hook, connection, room }) {
      if (room !== undefined) {
        return report(`@@${JSON.stringify({ tag: null, handler: name, room: room.name, hook: "error", of: hook, error: String(error) })}`);
      }
      if (connection === undefined) {
        // Without a connection only the error itself can identify the client.
        const tag = /tag=(\S+)/.exec(String(error))?.[1] ?? null;
        report(`@@${JSON.stringify({ tag, handler: name, hook: "error", of: hook, error: String(error) })}`);
        const then = /error then (\w+)/.exec(String(error))?.[1];
        if (then === "throws") throw new Error("secret of error");
        if (then === "rejects") return Promise.reject(new Error("secret of error"));
        return then === "hangs" ? new Promise(() => {}) : undefined;
      }
      return run("error", connection, { of: hook, error: String(error) });
    },
  };
}

/** Notes of the client whose handshake had the URL. */
function notesOf(name: HandlerName, report: Report): (url: string, id?: string) => Note {
  return (url, id) => {
    const { searchParams } = new URL(url);
    const from = { tag: searchParams.get("tag"), peer: Number(searchParams.get("peer")), handler: name };
    return (fields) => report(`@@${JSON.stringify({ ...from, ...(id === undefined ? {} : { id }), ...fields })}`);
  };
}

function observer(name: HandlerName, report: Report): Observer {
  const noteFor = notesOf(name, report);
  return {
    disconnected: ({ url, id, disconnected }) => noteFor(url, id)({ did: "observed disconnected", disconnected }),
    returned: ({ url, id, disconnected }) => noteFor(url, id)({ did: "observed returned", disconnected }),
    gap: ({ url, id }, topic, why) => noteFor(url, id)({ did: "observed gap", topic, why }),
  };
}

function shownInfo(info?: MessageInfo): object {
  return info?.messageId === undefined ? {} : { messageId: info.messageId };
}

/** Logs each call with the room's name and without a tag, because it belongs to no client. */
function roomHooks(name: HandlerName, report: Report): Handler {
  const before = new Set<string>();
  const run = (hook: string, room: LocalRoom, script: readonly RoomStep[] = [], info: object = {}): void | Promise<void> => {
    const note = (fields: object): void => report(`@@${JSON.stringify({ tag: null, handler: name, room: room.name, ...fields })}`);
    const first = !before.has(`${hook} ${room.name}`);
    before.add(`${hook} ${room.name}`);
    note({ hook, count: room.count(), ...info });
    return finally_(
      () => runRoomScript(script, room, first),
      () => note({ done: hook }),
    );
  };
  return {
    room: {
      open: (room) => run("room.open", room, roomScripts(room.name).open),
      empty: (room) => run("room.empty", room, roomScripts(room.name).empty),
    },
    alarm: (room, info) => run("alarm", room, roomScripts(room.name).alarm, { at: Date.now(), ...info }),
  };
}

/** The script in the URL's parameter of that name. Without one, messages are echoed; `message=run` runs each message as a script. */
function scriptFor(hook: string, connection: Connection, data: Data | undefined): Script {
  const script = new URL(connection.url).searchParams.get(hook);
  if (script === "run") return JSON.parse(String(data)) as Script;
  if (script !== null) return JSON.parse(script) as Script;
  return hook === "message" ? [["echo"]] : [];
}

export interface Summary {
  readonly text?: string;
  readonly hex?: string;
  readonly length: number;
  /** Whether the payload is a plain Uint8Array that covers its whole buffer. */
  readonly alone?: boolean;
}

function summary(data: Data): Summary {
  if (typeof data === "string") return { text: data.slice(0, 100), length: data.length };
  const hex = [...data.subarray(0, 32)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const alone = data.byteLength === data.buffer.byteLength && data.byteOffset === 0 && data.constructor === Uint8Array;
  return { hex, length: data.byteLength, alone };
}

/** Like `finally`, for a value or a promise; synchronous for a value. */
function finally_<T>(action: () => T, after: () => void): T {
  let result: T;
  try {
    result = action();
  } catch (error) {
    after();
    throw error;
  }
  if (result instanceof Promise) return result.finally(after) as T;
  after();
  return result;
}
