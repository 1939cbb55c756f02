/** Rooms in Durable Objects, seen from outside: finds a room's object by name and calls it over RPC. */
import { log, quoted } from "../../src/values/log.ts";
import { ownCopy } from "../../src/values/data.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { checkPlacement } from "../../src/handler/placement.ts";
import type { Settings } from "../../src/handler/settings.ts";
import { answerInTime, callingOf } from "../../src/rooms/calls/caller.ts";
import type { Calling } from "../../src/rooms/calls/caller.ts";
import { described, refused } from "../../src/rooms/calls/wire.ts";
import type { CallAnswer, CallRequest } from "../../src/rooms/calls/wire.ts";
import { createRemoteRoom } from "../../src/rooms/remote-room.ts";
import { memo } from "../../src/values/memo.ts";
import { checkName } from "../../src/values/text.ts";
import type { AnyCalls, CallsOf, UntypedCalls } from "../../src/api/calls.ts";
import type { Room, Rooms } from "../../src/api/room.ts";
import type { Placement } from "../../src/api/options.ts";
import type { ObjectNamespace, ObjectStub } from "./types.ts";

/**
 * The rooms of a handler, in a Worker: `rooms(env.ROOM).room("lobby").broadcast("hello")`. With the handler's type, `rooms<typeof chat>(env.ROOM)`,
 * its calls are typed. The placement must be the handler's own: if it has a
 * `jurisdiction`, `rooms(env.ROOM, { jurisdiction: "eu" })`.
 * @throws TypeError if `namespace` is not a Durable Object binding, or the placement has an unknown option or value.
 */
export function rooms<Handler extends { readonly calls: AnyCalls } = { readonly calls: UntypedCalls }>(
  namespace: ObjectNamespace,
  placement: Placement = {},
): Rooms<CallsOf<Handler>> {
  if (!isNamespace(namespace))
    throw new TypeError(`rooms takes a Durable Object binding like env.ROOM, not ${describe(namespace)} [EW715]`);
  const objects = new Objects(namespace, checkPlacement(placement));
  return { room: (name, options) => remoteRoom(objects, name, callingOf(options)) as Room<CallsOf<Handler>> };
}

/** Finds the objects of rooms. */
export class Objects {
  readonly jurisdiction: string | undefined;
  /** The binding. */
  readonly namespace: ObjectNamespace;
  readonly #placed: ObjectNamespace;
  readonly #hint: Placement["locationHint"] | undefined;
  /** Ids by room: caching them makes a connection 1 % cheaper than deriving them from the name each time. Unlike stubs, ids are not tied to a request. */
  readonly #ids = memo(maxIds, (room) => this.#placed.idFromName(room));
  /** Whether an object has answered as one of this handler. A binding's class does not change while the Worker runs. */
  known = false;

  constructor(namespace: ObjectNamespace, { jurisdiction, locationHint }: { [Name in keyof Placement]: Placement[Name] | undefined }) {
    this.jurisdiction = jurisdiction;
    this.namespace = namespace;
    this.#placed = jurisdiction === undefined ? namespace : inJurisdiction(namespace, jurisdiction);
    this.#hint = locationHint;
  }

  stub(room: string): ObjectStub {
    const hint = typeof this.#hint === "function" ? this.#hint(room) : this.#hint;
    return this.#placed.get(this.#ids(room) as never, hint === undefined ? undefined : { locationHint: hint }) as ObjectStub;
  }
}

/** Bounds the memory for ids: a Worker may see any number of rooms. */
const maxIds = 1000;

/** Standalone workerd (`wrangler dev`, tests) has no jurisdictions. The rooms are ordinary objects there, and a warning says so once. */
function inJurisdiction(namespace: ObjectNamespace, jurisdiction: string): ObjectNamespace {
  try {
    return namespace.jurisdiction(jurisdiction);
  } catch (error) {
    if (!/not implemented in workerd/.test(String(error))) throw error;
    if (!warned.has(namespace))
      log("warn", `jurisdiction "${jurisdiction}" is ignored: workerd has no jurisdictions outside Cloudflare's network [EW716]`);
    warned.add(namespace);
    return namespace;
  }
}

const warned = new WeakSet<ObjectNamespace>();

/** Created once for a handler and its binding. @throws Error that says what wrangler.toml lacks, if the binding is not a Durable Object. */
export function objectsOf({ settings }: Pick<DefinedHandler, "settings">, env: unknown): Objects {
  const { binding = "" } = settings;
  const bound = (env as Record<string, unknown> | null | undefined)?.[binding];
  const found = objectsBySettings.get(settings);
  if (found !== undefined && found.namespace === bound) return found;
  if (isNamespace(bound)) {
    const objects = new Objects(bound, settings);
    objectsBySettings.set(settings, objects);
    return objects;
  }
  throw new Error(
    `env.${binding} is ${describe(bound)}, but the handler's option "binding" requires a Durable Object. ${recipe(binding)} [EW717]`,
  );
}

const objectsBySettings = new WeakMap<Settings, Objects>();

/** Returns the handler's binding. @throws TypeError if it has none: `durable` and `route` need it to find the objects of rooms. */
export function requireBinding(who: string, handler: Pick<DefinedHandler, "settings">): string {
  const { binding } = handler.settings;
  if (binding === undefined) {
    throw new TypeError(
      `${who} needs the handler's option "binding", the name of the Durable Object binding: defineHandler({ binding: "ROOM", … }) [EW718]`,
    );
  }
  return binding;
}

/** The error for a binding whose class was not made by `durable` of this handler. */
export function wrongClass(binding: string, what: string, cause?: unknown): Error {
  return new Error(
    `the Durable Object behind env.${binding} ${what}: its class was not made by durable() of this handler. ${recipe(binding)} [EW719]`,
    { cause },
  );
}

function recipe(binding: string): string {
  return `wrangler.toml needs [[durable_objects.bindings]] with name = "${binding}" and class_name = "X", [[migrations]] with new_sqlite_classes = ["X"], and the Worker export class X extends durable(handler) {}`;
}

/** @throws TypeError for an invalid name. */
export function remoteRoom(objects: Objects, name: string, calling: Calling): Room {
  checkName("room", name);
  return createRemoteRoom(name, calling, async (method, args) => {
    try {
      const pending = objects.stub(name).edgewireRoom(name, method, args.map(portable), objects.jurisdiction);
      if (method !== "call") return await pending;
      return whileDeploying((await answerInTime(name, args as unknown as CallRequest, pending)) as CallAnswer);
    } catch (error) {
      if (/does not implement the method "edgewire/.test(String(error)))
        throw new Error(`room ${quoted(name)} is in an object whose class was not made by durable(handler) [EW720]`, { cause: error });
      if (method === "call" && /a room has no call(?: \[EW\d+\])?$/.test(String(error)))
        return whileDeploying(refused("unknown_call", `${described(String(args[0]), name)}: the room has no calls [EW334]`));
      throw error;
    }
  });
}

/** The object may be older or newer than the caller. */
function whileDeploying(answer: CallAnswer): CallAnswer {
  if (!("error" in answer) || answer.error.code !== "unknown_call") return answer;
  return refused("unknown_call", hinted(answer.error.message));
}

/** With the hint before its code. */
function hinted(message: string): string {
  return message.replace(/(?: \[EW\d+\])?$/, (code) => ` (while a deploy rolls out, the room may run another version)${code}`);
}

/** Copies a view: RPC would send its whole buffer along, and can't send a view of shared memory. */
function portable(data: unknown): unknown {
  return ArrayBuffer.isView(data) ? ownCopy(data) : data;
}

/** Checks the class, not the methods: a service binding appears to have every method. */
function isNamespace(value: unknown): value is ObjectNamespace {
  return typeof value === "object" && value !== null && Object.prototype.toString.call(value) === "[object DurableObjectNamespace]";
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return "missing";
  return typeof value === "object" ? `of type ${Object.prototype.toString.call(value).slice(8, -1)}` : `a ${typeof value}`;
}
