/** Rooms in Durable Objects, from outside: a room's object is found by its name and asked over RPC. */
import { log, quoted } from "../../src/values/log.ts";
import { ownCopy } from "../../src/values/data.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { checkPlacement } from "../../src/handler/placement.ts";
import type { Settings } from "../../src/handler/settings.ts";
import { createRemoteRoom } from "../../src/rooms/remote-room.ts";
import { memo } from "../../src/values/memo.ts";
import { checkName } from "../../src/values/text.ts";
import type { Room, Rooms } from "../../src/api/room.ts";
import type { Placement } from "../../src/api/options.ts";
import type { ObjectNamespace, ObjectStub } from "./types.ts";

/**
 * The rooms of a handler, in a Worker: `rooms(env.ROOM).room("lobby").broadcast("hello")`. The placement is the handler's own:
 * with a `jurisdiction`, `rooms(env.ROOM, { jurisdiction: "eu" })`.
 * @throws TypeError for anything but a Durable Object binding, and for an option that is none of Cloudflare's.
 */
export function rooms(namespace: ObjectNamespace, placement: Placement = {}): Rooms {
  if (!isNamespace(namespace)) throw new TypeError(`rooms takes a Durable Object binding like env.ROOM, not ${describe(namespace)}`);
  const objects = new Objects(namespace, checkPlacement(placement));
  return { room: (name) => remoteRoom(objects, name) };
}

/** Where rooms' objects are found. */
export class Objects {
  readonly jurisdiction: string | undefined;
  /** The binding. */
  readonly namespace: ObjectNamespace;
  readonly #placed: ObjectNamespace;
  readonly #hint: Placement["locationHint"] | undefined;
  /** By room: to look one up costs a connection 1 % less than to make it of the name again. No request owns them, as it owns its stubs. */
  readonly #ids = memo(mostIds, (room) => this.#placed.idFromName(room));
  /** They were seen to be this handler's. A binding's class is the same for as long as the Worker runs. */
  known = false;

  constructor(namespace: ObjectNamespace, { jurisdiction, locationHint }: { [Name in keyof Placement]: Placement[Name] | undefined }) {
    this.jurisdiction = jurisdiction;
    this.namespace = namespace;
    this.#placed = jurisdiction === undefined ? namespace : within(namespace, jurisdiction);
    this.#hint = locationHint;
  }

  stub(room: string): ObjectStub {
    const hint = typeof this.#hint === "function" ? this.#hint(room) : this.#hint;
    return this.#placed.get(this.#ids(room) as never, hint === undefined ? undefined : { locationHint: hint }) as ObjectStub;
  }
}

/** A Worker may see more rooms than its memory holds. */
const mostIds = 1000;

/** workerd by itself, under `wrangler dev` and in tests, has no jurisdictions: there the rooms are plain objects, and it is said once. */
function within(namespace: ObjectNamespace, jurisdiction: string): ObjectNamespace {
  try {
    return namespace.jurisdiction(jurisdiction);
  } catch (error) {
    if (!/not implemented in workerd/.test(String(error))) throw error;
    if (!told.has(namespace)) log("warn", `jurisdiction "${jurisdiction}" is ignored: workerd has none outside Cloudflare's network`);
    told.add(namespace);
    return namespace;
  }
}

const told = new WeakSet<ObjectNamespace>();

/** Made once for a handler and its binding. @throws Error that says what wrangler.toml lacks, when the binding is no Durable Object's. */
export function objectsOf({ settings }: Pick<DefinedHandler, "settings">, env: unknown): Objects {
  const { binding = "" } = settings;
  const bound = (env as Record<string, unknown> | null | undefined)?.[binding];
  const found = made.get(settings);
  if (found !== undefined && found.namespace === bound) return found;
  if (isNamespace(bound)) {
    const objects = new Objects(bound, settings);
    made.set(settings, objects);
    return objects;
  }
  throw new Error(`env.${binding} is ${describe(bound)}, where the handler's option "binding" wants a Durable Object. ${recipe(binding)}`);
}

const made = new WeakMap<Settings, Objects>();

/** @throws TypeError unless `durable` and `route` can tell which object holds the handler's rooms. */
export function requireBinding(who: string, handler: Pick<DefinedHandler, "settings">): string {
  const { binding } = handler.settings;
  if (binding === undefined) {
    throw new TypeError(
      `${who} needs the handler's option "binding", the name of the Durable Object binding: defineHandler({ binding: "ROOM", … })`,
    );
  }
  return binding;
}

/** What a binding of another class did instead of answering as an object of this handler. */
export function wrongClass(binding: string, what: string, cause?: unknown): Error {
  return new Error(
    `the Durable Object behind env.${binding} ${what}: its class is not made by durable() of this handler. ${recipe(binding)}`,
    { cause },
  );
}

function recipe(binding: string): string {
  return `wrangler.toml needs [[durable_objects.bindings]] with name = "${binding}" and class_name = "X", [[migrations]] with new_sqlite_classes = ["X"], and the Worker export class X extends durable(handler) {}`;
}

/** @throws TypeError for a bad name. */
export function remoteRoom(objects: Objects, name: string): Room {
  checkName("room", name);
  return createRemoteRoom(name, async (method, args) => {
    try {
      return await objects.stub(name).edgewireRoom(name, method, args.map(portable), objects.jurisdiction);
    } catch (error) {
      if (/does not implement the method "edgewire/.test(String(error)))
        throw new Error(`room ${quoted(name)} is in an object whose class is not made by durable(handler)`, { cause: error });
      throw error;
    }
  });
}

/** A view would travel with the whole buffer that it is a part of, and one on shared memory not at all. */
function portable(data: unknown): unknown {
  return ArrayBuffer.isView(data) ? ownCopy(data) : data;
}

/** By its class: any other binding to a service has every method that one asks for. */
function isNamespace(value: unknown): value is ObjectNamespace {
  return typeof value === "object" && value !== null && Object.prototype.toString.call(value) === "[object DurableObjectNamespace]";
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return "missing";
  return typeof value === "object" ? `of type ${Object.prototype.toString.call(value).slice(8, -1)}` : `a ${typeof value}`;
}
