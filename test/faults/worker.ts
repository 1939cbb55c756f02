/** The same handler in real objects, whose storage fails when it is told to. */
import { defineHandler } from "edgewire";
import { durable, rooms, route } from "edgewire/durable";
import { Faults, type Fault } from "./faults.ts";
import { faultyHandler, type AlarmPlan, type State } from "./handler.ts";

/** By room, in this isolate: it outlives the objects, however they end. */
const faults = new Map<string, Faults>();
const plans = new Map<string, AlarmPlan>();
const calm: AlarmPlan = { fail: 0, sleep: 0, next: undefined };

const handler = defineHandler<State>(
  faultyHandler(
    "ROOM",
    (line) => console.log(`@@${JSON.stringify(line)}`),
    (room) => plans.get(room) ?? calm,
  ),
);

function faultsOf(room: string): Faults {
  let known = faults.get(room);
  if (known === undefined) faults.set(room, (known = new Faults()));
  return known;
}

/** What the tests use of the platform, as far as the adapter's types don't say. */
interface Context {
  readonly id: { readonly name?: string };
  readonly storage: Record<string, unknown> & { readonly kv: Record<string, unknown> & { list(): Iterable<[string, unknown]> } };
  abort(reason: string): void;
}

type Method = (this: object, ...args: unknown[]) => unknown;

/** The same object, whose methods may fail first. */
function failing<T extends object>(target: T, check: (method: string) => void, over: Record<string, unknown> = {}): T {
  return new Proxy(target, {
    get(_, key) {
      if (typeof key === "string" && key in over) return over[key];
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        check(String(key));
        return Reflect.apply(value, target, args);
      };
    },
  });
}

/** Whose sockets these are. */
const owners = new WeakMap<object, Faults>();
const sockets = WebSocket.prototype as unknown as Record<"serializeAttachment", Method>;
const { serializeAttachment } = sockets;
sockets.serializeAttachment = function (this: object, value: unknown) {
  owners.get(this)?.check("serializeAttachment");
  return Reflect.apply(serializeAttachment, this, [value]);
};

function breakable<Ctx extends object>(ctx: Ctx): Ctx {
  const { id, storage } = ctx as unknown as Context;
  const faulty = faultsOf(id.name ?? "");
  const kv = failing(storage.kv, (method) => faulty.check(`kv.${method}` as Fault["what"]));
  const own: Record<string, unknown> = { storage: failing(storage, (method) => faulty.check(method as Fault["what"]), { kv }) };
  const natives = ctx as Record<string, unknown>;
  for (const name of ["waitUntil", "getWebSocketAutoResponseTimestamp"] as const) {
    const native = natives[name] as Method;
    own[name] = (...args: unknown[]) => {
      faulty.check(name);
      return Reflect.apply(native, ctx, args);
    };
  }
  const { acceptWebSocket, getWebSockets } = natives as Record<string, Method>;
  own["acceptWebSocket"] = (ws: object) => {
    owners.set(ws, faulty);
    return Reflect.apply(acceptWebSocket!, ctx, [ws]);
  };
  own["getWebSockets"] = () => {
    const all = Reflect.apply(getWebSockets!, ctx, []) as object[];
    for (const ws of all) owners.set(ws, faulty);
    return all;
  };
  for (const [name, value] of Object.entries(own)) Object.defineProperty(ctx, name, { value, configurable: true });
  return ctx;
}

export class Room extends durable(handler) {
  constructor(...[ctx, env]: ConstructorParameters<ReturnType<typeof durable>>) {
    super(breakable(ctx), env);
  }

  kill(): void {
    (this.ctx as unknown as Context).abort("killed");
  }

  rows(): string[] {
    return Array.from((this.ctx as unknown as Context).storage.kv.list(), ([key]) => key);
  }
}

interface Stub {
  kill(): Promise<void>;
  rows(): Promise<string[]>;
}

const routed = route(handler);

export default {
  async fetch(request: Request, env: { ROOM: Parameters<typeof rooms>[0] }, ctx: Parameters<typeof routed.fetch>[2]): Promise<Response> {
    if (request.headers.has("upgrade")) return routed.fetch(request, env, ctx);
    const [, room = "", what] = new URL(request.url).pathname.split("/");
    const stub = (env.ROOM as unknown as { getByName(name: string): Stub }).getByName(room);
    switch (what) {
      case "break":
        faultsOf(room).arm(await request.json());
        return Response.json(null);
      case "calm":
        faultsOf(room).clear();
        plans.delete(room);
        return Response.json(faultsOf(room).count);
      case "plan":
        plans.set(room, await request.json());
        return Response.json(null);
      case "kill":
        await stub.kill().catch(() => {});
        return Response.json(null);
      case "rows":
        return Response.json(await stub.rows());
      default:
        return Response.json(await rooms(env.ROOM).room(room).count());
    }
  },
};
