/** What TypeScript infers and refuses of what `upgrade` returns. Compiled, never run. */
import { defineHandler } from "edgewire";
import type { Handler, UpgradeResult } from "edgewire";
import { memory } from "edgewire/memory";
import { defineMessages, messageHandler } from "edgewire/messages";
import { expectTypeOf } from "vitest";
import { z } from "zod";

declare const is: boolean;
declare const id: number;
declare const name: string;

type Guest = { kind: "guest" };
type User = { kind: "user"; id: number };

// A union, told apart by its literals: of two expressions …
defineHandler({
  upgrade: () => (is ? { state: { kind: "guest" } } : { state: { kind: "user", id } }),
  open({ state }) {
    expectTypeOf(state.kind).toEqualTypeOf<"guest" | "user">();
    if (state.kind === "user") expectTypeOf(state.id).toEqualTypeOf<number>();
    // @ts-expect-error: a guest has none.
    else expectTypeOf(state.id).toEqualTypeOf<number>();
  },
  message(connection) {
    connection.setState({ kind: "guest" });
    connection.setState({ kind: "user", id: 1 });
    // @ts-expect-error: neither of the two.
    connection.setState({ kind: "user" });
    // @ts-expect-error: neither of the two.
    connection.setState({ kind: "admin", id: 1 });
    for (const { state } of connection.peers()) if (state.kind === "user") expectTypeOf(state.id).toEqualTypeOf<number>();
  },
});

// … of several returns, with a refusal and other keys between them …
defineHandler({
  upgrade(request) {
    if (request.headers.get("authorization") === null) return new Response(null, { status: 401 });
    if (is) return { state: { kind: "guest" }, room: "lobby" };
    return { state: { kind: "user", id }, headers: [["set-cookie", "a=1"]], expiresAt: new Date() };
  },
  open({ state }) {
    if (state.kind === "user") expectTypeOf(state.id).toEqualTypeOf<number>();
  },
});

// … of an async hook …
const visitors = defineHandler({
  async upgrade(request) {
    await request.text();
    if (is) return { state: { kind: "guest" } };
    return { state: { kind: "user", id } };
  },
  open({ state }) {
    if (state.kind === "user") expectTypeOf(state.id).toEqualTypeOf<number>();
  },
  calls: {
    ids: (room, most: number) => [...room.peers()].flatMap(({ state }) => (state.kind === "user" && state.id < most ? state.id : [])),
  },
});
expectTypeOf(memory(visitors).room("r").call("ids", 1)).toEqualTypeOf<Promise<number[]>>();

// … told apart by a boolean, or by which keys there are …
defineHandler({
  upgrade: () => (is ? { state: { guest: true } } : { state: { guest: false, id } }),
  open: ({ state }) => void (state.guest || expectTypeOf(state.id).toEqualTypeOf<number>()),
});
defineHandler({
  upgrade: () => (is ? { state: { name } } : { state: { id } }),
  open: ({ state }) => void (state.id === undefined && expectTypeOf(state.name).toEqualTypeOf<string>()),
});

// … and of types that have names.
declare const who: Guest | User;
defineHandler({
  upgrade: () => ({ state: who }),
  open: (connection) => void expectTypeOf(connection.state).toEqualTypeOf<Readonly<Guest | User>>(),
});
defineHandler<Guest | User>()({
  upgrade: async () => (is ? { state: { kind: "guest" } } : { state: { kind: "user", id } }),
  open: (connection) => void expectTypeOf(connection.state).toEqualTypeOf<Readonly<Guest | User>>(),
  calls: { guests: (room) => [...room.peers()].filter(({ state }) => state.kind === "guest").length },
});
defineHandler<Guest | User>()({
  // @ts-expect-error: neither of the two.
  upgrade: () => (is ? { state: { kind: "guest" } } : { state: { kind: "user" } }),
});

// Literals that tell nothing apart are as TypeScript would have inferred them.
defineHandler({
  upgrade: () => ({ state: { name: "Ada", admin: false, count: 0, tags: ["a"], at: { x: "left" } } }),
  open(connection) {
    expectTypeOf(connection.state).toEqualTypeOf<
      Readonly<{ name: string; admin: boolean; count: number; tags: string[]; at: { x: string } }>
    >();
    connection.setState({ name: "Grace", admin: true, count: 1, tags: [], at: { x: "right" } });
  },
});
defineHandler({
  upgrade: () => (is ? { state: { kind: "guest", colour: "red" } } : { state: { kind: "user", colour: "red", id } }),
  open: (connection) => connection.setState({ kind: "guest", colour: "blue" }),
});
// Literals of types that have names stay.
declare const named: { readonly kind: "guest"; readonly loud: true };
defineHandler({
  upgrade: () => ({ state: named }),
  open: (connection) => void expectTypeOf(connection.state).toEqualTypeOf<Readonly<typeof named>>(),
});
declare const choice: { side: "left" | "right"; id: `user-${string}`; when: Date };
defineHandler({
  upgrade: () => ({ state: choice }),
  open: (connection) => void expectTypeOf(connection.state).toEqualTypeOf<Readonly<typeof choice>>(),
});
const once = { kind: "guest" } as const;
defineHandler({
  upgrade: () => ({ state: once }),
  open: (connection) => void expectTypeOf(connection.state.kind).toEqualTypeOf<"guest">(),
});
defineHandler({
  upgrade: (): UpgradeResult<Guest> => ({ state: { kind: "guest" } }),
  open: (connection) => void expectTypeOf(connection.state).toEqualTypeOf<Readonly<Guest>>(),
});

// Who is accepted without a state has none.
defineHandler({
  upgrade() {
    if (is) return { room: "lobby" };
    return { state: { name } };
  },
  open: ({ state }) => void expectTypeOf(state).toEqualTypeOf<Readonly<{ name: string } | undefined>>(),
});
defineHandler({
  async upgrade() {
    if (is) return;
    return { state: { name } };
  },
  open: ({ state }) => void expectTypeOf(state).toEqualTypeOf<Readonly<{ name: string } | undefined>>(),
});
defineHandler({
  upgrade: () => ({ room: "lobby" }),
  open: ({ state }) => void expectTypeOf(state).toEqualTypeOf<Readonly<unknown>>(),
});
// Other states than objects.
defineHandler({
  upgrade: () => ({ state: name }),
  open: ({ state }) => void expectTypeOf(state).toEqualTypeOf<Readonly<string>>(),
});
defineHandler({
  upgrade: () => ({ state: new Map<string, Set<number>>() }),
  open: (connection) => connection.setState(new Map([["a", new Set([1])]])),
});
defineHandler({
  upgrade: () => ({ state: ["a", "b"] }),
  open: ({ state }) => void expectTypeOf(state).toEqualTypeOf<Readonly<string[]>>(),
});
declare const parsed: ReturnType<typeof JSON.parse>;
defineHandler({
  upgrade: async () => ({ state: parsed }),
  open: (connection) => void connection.state.whatever,
});
defineHandler({
  upgrade: async () => parsed,
  open: ({ state }) => void expectTypeOf(state).toEqualTypeOf<Readonly<unknown>>(),
});

// A key that `upgrade` does not know is refused at start-up's place: by the compiler.
// @ts-expect-error: "stat".
defineHandler({ upgrade: () => ({ stat: { name } }) });
// @ts-expect-error: "rooom".
defineHandler({ upgrade: () => ({ state: { name }, rooom: "lobby" }) });
// @ts-expect-error: "expiresAtt", in one of several returns.
defineHandler({ upgrade: (request) => (request.url === "" ? new Response() : is ? { room: "a" } : { expiresAtt: new Date() }) });
defineHandler({
  // @ts-expect-error: "protocl".
  async upgrade(request) {
    await request.text();
    if (is) return;
    if (is) return { state: { name } };
    return { state: { name }, protocl: "chat" };
  },
});
defineHandler<{ name: string }>()({
  // @ts-expect-error: "rooom", beside a named state.
  upgrade: async () => ({ state: { name }, rooom: "lobby" }),
});
// @ts-expect-error: a room that is no text.
defineHandler({ upgrade: () => ({ state: { name }, room: 7 }) });
// @ts-expect-error: neither a result nor a Response.
defineHandler({ upgrade: () => 401 });
// @ts-expect-error: neither, later.
defineHandler({ upgrade: async () => "lobby" });
// The same in hooks, options and calls.
// @ts-expect-error: "mesage".
defineHandler({ mesage() {} });
// @ts-expect-error: "opne", beside a named state.
defineHandler<Guest>()({ opne() {} });
// @ts-expect-error: "opne" of a room.
defineHandler({ room: { opne() {} } });
// @ts-expect-error: "mesages" of the rate.
defineHandler({ rate: { mesages: 1 } });
// @ts-expect-error: "mesages" of a history.
defineHandler({ history: { chat: { mesages: 1 } } });
// @ts-expect-error: "intervall" of the heartbeat.
defineHandler({ heartbeat: { intervall: 1000 } });
// @ts-expect-error: "cals".
defineHandler({ cals: { vote() {} } });

// Beside typed messages.
const messages = defineMessages({ toServer: { say: z.string() }, requests: { find: { payload: z.string(), result: z.number() } } });
const needed = { messages: { say() {} }, requests: { find: () => 1 } };
const spoken = defineHandler(
  messageHandler(messages, {
    upgrade: async () => (is ? { state: { kind: "guest" } } : { state: { kind: "user", id } }),
    messages: {
      say: ({ state }) => void (state.kind === "user" && expectTypeOf(state.id).toEqualTypeOf<number>()),
    },
    requests: { find: ({ state }) => (state.kind === "user" ? state.id : 0) },
    close: ({ state }) => void expectTypeOf(state.kind).toEqualTypeOf<"guest" | "user">(),
    calls: { kinds: (room, prefix: string) => [...room.peers()].map(({ state }) => prefix + state.kind) },
  }),
);
expectTypeOf(memory(spoken).room("r").call("kinds", "a")).toEqualTypeOf<Promise<string[]>>();
defineHandler<Guest | User>()(
  messageHandler(messages, {
    ...needed,
    upgrade: (): UpgradeResult<Guest | User> => (is ? { state: { kind: "guest" } } : { state: { kind: "user", id } }),
    open: ({ state }) => void expectTypeOf(state).toEqualTypeOf<Readonly<Guest | User>>(),
  }),
);
// @ts-expect-error: "stat".
messageHandler(messages, { ...needed, upgrade: () => ({ stat: { name } }) });
// @ts-expect-error: "rooom", in one of several returns.
messageHandler(messages, { ...needed, upgrade: async () => (is ? { room: "a" } : { state: { name }, rooom: "lobby" }) });
// @ts-expect-error: "opne".
messageHandler(messages, { ...needed, opne() {} });
// @ts-expect-error: "mesages".
messageHandler(messages, { ...needed, mesages: {} });
// @ts-expect-error: "sya".
messageHandler(messages, { ...needed, messages: { say() {}, sya() {} } });
// @ts-expect-error: the codecs determine the subprotocols.
messageHandler(messages, { ...needed, protocols: ["chat"] });

// Whoever passes a handler on knows its state.
export function passed<State>(handler: Handler<State>): State {
  defineHandler<State>({
    open({ state, setState }) {
      const known: Readonly<State> = state;
      void [known, setState];
    },
    migrate: (state) => state as State,
  });
  const { hooks } = defineHandler(handler);
  const { setState }: { setState(state: State): void } = {} as Parameters<NonNullable<typeof hooks.open>>[0];
  void setState;
  return hooks.migrate?.(undefined, 0) as State;
}
expectTypeOf(passed({ migrate: () => name })).toEqualTypeOf<string>();
