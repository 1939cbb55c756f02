/** The calls of the handler `main`, and how a case asks for them: from outside, from a hook, and from another call. Runs on every runtime. */
import { describe, oddState, sleep, gate, type OddState } from "./odd.ts";
import type { LocalRoom, Rooms } from "edgewire";

/** What to ask for. Its outcome is described: see `ask`. */
export interface Ask {
  readonly room: string;
  readonly name: string;
  readonly args?: readonly unknown[];
  /** One more argument, which JSON can't represent: everything that can be passed, or what can't. */
  readonly odd?: OddArgument;
  readonly deadline?: number;
  /** Ask so many times, in one turn. Each gets its number, from 0, as its first argument if `numbered`. */
  readonly times?: number;
  readonly numbered?: boolean;
  /** Its result is JSON already, and is not described. */
  readonly plain?: boolean;
}

export type OddArgument = "everything" | OddState;

/** What a call came to, with the type of every part; or its error. */
export type Outcome =
  | { readonly result: unknown }
  | {
      readonly threw: string;
      readonly message: string;
      readonly code: unknown;
      /** Its own properties, apart from the message and the stack. */
      readonly has: readonly string[];
      /** Whether the stack names the function in the room. */
      readonly leaks: boolean;
    };

export async function ask(rooms: Rooms, request: Ask): Promise<Outcome | readonly Outcome[]> {
  const { room, name, args = [], odd, deadline, times, numbered = false, plain = false } = request;
  const given = odd === undefined ? args : [...args, oddArgument(odd)];
  const one = (number: number): Promise<Outcome> => {
    const target = deadline === undefined ? rooms.room(room) : rooms.room(room, { deadline });
    return outcome(target.call(name, ...(numbered ? [number] : []), ...given), plain ? (result) => result : describe);
  };
  return times === undefined ? one(0) : Promise.all(Array.from({ length: times }, (_, number) => one(number)));
}

async function outcome(pending: Promise<unknown>, shown: (result: unknown) => unknown): Promise<Outcome> {
  try {
    return { result: shown(await pending) };
  } catch (thrown) {
    const error = thrown as Error & { code?: unknown };
    const has = Object.getOwnPropertyNames(error).filter((key) => !["message", "stack", "code", ...native].includes(key));
    const leaks = String(error.stack).includes(whereItFails.name) || error.cause !== undefined;
    return { threw: error.name, message: error.message, code: error.code ?? null, has, leaks };
  }
}

/** Where JavaScriptCore says that an error was made. */
const native = ["line", "column", "sourceURL", "originalLine", "originalColumn"];

function oddArgument(odd: OddArgument): unknown {
  return odd === "everything" ? everything() : oddState(odd);
}

/** A value of each kind that can be passed. */
function everything(): unknown {
  return {
    rich: oddState("rich"),
    [`quote" backslash\\`]: JSON.parse('{"__proto__":{"deep":true}}') as unknown,
    $: "tagged",
    texts: ["", "é😀", "\ud800", "line\n"],
    list: [undefined, null, true, [], {}, 1.5],
    dates: [new Date(Number.NaN)],
    maps: new Map([[new Map([[1, 2]]), new Set([new Set()])]]),
  };
}

interface Failing {
  readonly message: string;
  readonly code?: unknown;
  /** It throws this instead of an Error. */
  readonly odd?: "null" | "text" | "object";
}

/** Its name must not travel. */
function whereItFails({ message, code, odd }: Failing): never {
  if (odd === "null") throw null;
  if (odd === "text") throw message;
  if (odd === "object") throw { message, code };
  throw Object.assign(new TypeError(message), code === undefined ? {} : { code, secret: "stays" });
}

/** Rooms in which `order` runs, with the numbers that it got. */
const orders = new Map<string, { running: boolean; readonly numbers: number[] }>();

export const calls = {
  echo: (_room: LocalRoom, ...args: unknown[]) => args,
  /** What the room got, with the type of every part. */
  got: (_room: LocalRoom, ...args: unknown[]) => describe(args),
  odd: (_room: LocalRoom, odd: OddArgument) => oddArgument(odd),
  nothing: () => {},
  fails: (_room: LocalRoom, failing: Failing) => whereItFails(failing),
  rejects: async (_room: LocalRoom, failing: Failing) => {
    await sleep(1);
    whereItFails(failing);
  },
  add: (room: LocalRoom, by: number) => room.storage.update<number>("n", async (n = 0) => (await sleep(0), n + by)),
  /** Its place among the calls of the room; none begins before the one before it has ended. */
  async order(room: LocalRoom, number: number) {
    const order = orders.get(room.name) ?? { running: false, numbers: [] };
    orders.set(room.name, order);
    if (order.running) throw new Error("two calls run at once");
    order.running = true;
    await sleep(number % 3);
    order.running = false;
    return order.numbers.push(number);
  },
  hold: async (_room: LocalRoom, name: string) => {
    gate(`${name} begun`).resolve();
    await gate(name).promise;
    return "held";
  },
  release: (_room: LocalRoom, name: string) => gate(name).resolve(),
  never: () => new Promise(() => {}),
  /** A call that calls. */
  ask: (room: LocalRoom, request: Ask) => ask(room.rooms, request),
  async everything(room: LocalRoom) {
    await room.storage.set("kept", "by a call");
    room.setAlarm(Date.now() + 50);
    const reached = room.broadcast("from a call");
    const published = room.publish("topic", "published");
    const closed = room.close(4000, "by a call");
    return { reached, published, closed, left: room.count(), kept: await room.storage.get("kept") };
  },
  count: (room: LocalRoom) => room.count(),
  peers: (room: LocalRoom) => Array.from(room.peers(), ({ id, phase }) => [id, phase]),
};
