/** What a connection has to store and can't: at its end it ends all the same, before that nothing has changed. */
import { expect, test, vi } from "vitest";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { Server } from "../../src/server/server.ts";
import { MemoryStore } from "../../src/rooms/memory-store.ts";
import type { Connection } from "../../src/connection/connection.ts";
import type { ErrorContext, Handler } from "../../src/api/handler.ts";
import type { StoredSnapshot } from "../../src/ports.ts";
import { FakeClock, FakeSocket, settle, snapshot } from "./fake.ts";

type Method = "get" | "set" | "delete" | "save";

/** What fails: a method, the number of times. */
class Faults {
  readonly #left = new Map<Method, number>();

  add(method: Method, times = 1): void {
    this.#left.set(method, times);
  }

  check(method: Method): void {
    const left = this.#left.get(method) ?? 0;
    if (left === 0) return;
    this.#left.set(method, left - 1);
    throw new Error(`${method} is broken`);
  }
}

class FaultyStore extends MemoryStore {
  readonly #faults: Faults;

  constructor(faults: Faults) {
    super();
    this.#faults = faults;
  }

  override get(key: string): string | undefined {
    this.#faults.check("get");
    return super.get(key);
  }

  override set(key: string, value: string): void {
    this.#faults.check("set");
    super.set(key, value);
  }

  override delete(key: string): boolean {
    this.#faults.check("delete");
    return super.delete(key);
  }
}

class FaultySocket extends FakeSocket {
  readonly #faults: Faults;

  constructor(faults: Faults) {
    super();
    this.#faults = faults;
  }

  override save(saved: StoredSnapshot): void {
    this.#faults.check("save");
    super.save(saved);
  }
}

interface Setup {
  readonly faults: Faults;
  readonly server: Server;
  readonly store: MemoryStore;
  readonly clock: FakeClock;
  readonly errors: { readonly error: string; readonly hook: ErrorContext["hook"] }[];
  /** What the close hook was told, and the size of the state that it saw. */
  readonly closed: unknown[];
  open(letters: number): { readonly live: Connection; readonly socket: FaultySocket };
  /** The same connection in another life. */
  wake(socket: FaultySocket): Connection | undefined;
}

function setup(handler: Handler = {}): Setup {
  const faults = new Faults();
  const store = new FaultyStore(faults);
  const clock = new FakeClock();
  const errors: { error: string; hook: ErrorContext["hook"] }[] = [];
  const closed: unknown[] = [];
  const start = (): Server =>
    new Server(
      defineHandler({
        close: (connection, { code, initiator }) => void closed.push([code, initiator, String(connection.state).length]),
        error: (error, { hook }) => void errors.push({ error: String(error), hook }),
        ...handler,
      }),
      { name: "fake", registry: RoomRegistry, clock, store: () => store },
    );
  const server = start();
  return {
    faults,
    server,
    store,
    clock,
    errors,
    closed,
    open(letters) {
      const socket = new FaultySocket(faults);
      return { socket, live: server.begin(socket, { snapshot: snapshot({ room: "r", state: "x".repeat(letters) }) }) };
    },
    wake: (socket) => start().wake(socket, socket.saved as StoredSnapshot),
  };
}

const ends: readonly (readonly [string, (live: Connection) => void, unknown])[] = [
  ["the client closes", (live) => void live.ended(4000, ""), [4000, "client"]],
  ["the network is lost", (live) => void live.ended(1006, ""), [1006, "network"]],
  ["the handler closes", (live) => (live.close(4001), void live.ended(4001, "")), [4001, "server"]],
  ["the handler terminates", (live) => live.terminate(), [1006, "server"]],
  ["it has vanished", (live) => void live.vanished(), [1006, "network"]],
];
const faulty: readonly (readonly [Method, readonly string[], letters: number])[] = [
  ["save", [], 10],
  ["save", [], 20_000],
  ["delete", [], 20_000],
];

for (const [what, end, told] of ends) {
  test.each(faulty)(`${what}, and %s fails: it has ended, its hook ran once, it is counted`, async (method, _, letters) => {
    const { faults, server, errors, closed, open, clock } = setup();
    const { live, socket } = open(letters);
    live.present("ada");
    faults.add(method, 100);
    end(live);
    await settle();
    expect(closed).toEqual([[...(told as unknown[]), letters]]);
    expect(live.phase).toBe("closed");
    expect(server.localRoom("r").count()).toBe(0);
    expect(server.localRoom("r").presence()).toEqual([]);
    expect(Object.values(server.stats().closed)).toEqual([1]);
    expect([...server.connections()]).toEqual([]);
    // A connection that its client ended need not store it: its socket is gone.
    for (const { error, hook } of errors) {
      expect(hook).toBe("close");
      expect(error).toMatch(new RegExp(`^Error: the end of connection .* can't be stored: Error: ${method} is broken \\[EW211\\]$`));
    }
    if (method === "delete" || (!what.startsWith("the client") && !what.startsWith("the network"))) expect(errors).not.toEqual([]);
    expect(clock.pending).toBe(0);
    end(live);
    await settle();
    expect(closed).toHaveLength(1);
    expect(socket.calls.filter((call) => call.startsWith("close"))).toHaveLength(what === "the handler closes" ? 1 : 0);
  });
}

test("a state that could not be read when the connection ended is there when its hook asks", async () => {
  const { faults, closed, errors, open, wake } = setup();
  // In a life that has not read it yet.
  const live = wake(open(20_000).socket);
  faults.add("get");
  await live?.ended(1000, "");
  expect([closed, errors]).toEqual([[[1000, "client", 20_000]], []]);
});

test("a row that can't be deleted goes with the next one that can", async () => {
  const { faults, open, store } = setup();
  const rows = (): number => [...store.list({ prefix: "state:" })].length;
  const [one, two, three] = [open(20_000), open(20_000), open(20_000)];
  expect(rows()).toBe(3);
  faults.add("delete", 2);
  await one.live.ended(1000, "");
  await two.live.ended(1000, "");
  expect(rows()).toBe(3);
  await three.live.ended(1000, "");
  expect(rows()).toBe(0);
});

test.each<readonly [string, Method, number, number]>([
  ["from the snapshot to a row", "set", 10, 20_000],
  ["from the snapshot to a row", "save", 10, 20_000],
  ["from one row to another", "set", 20_000, 30_000],
  ["from one row to another", "save", 20_000, 30_000],
  ["from a row to the snapshot", "save", 20_000, 10],
  ["within the snapshot", "save", 10, 20],
])("setState %s, where %s fails, throws and leaves everything as it was", async (_, method, before, after) => {
  const { faults, open, store, wake } = setup();
  const { live, socket } = open(before);
  const rows = [...store.list({ prefix: "" })];
  const saved = socket.saved;
  faults.add(method);
  expect(() => live.setState("y".repeat(after))).toThrow(`${method} is broken`);
  expect(String(live.state)).toHaveLength(before);
  expect([...store.list({ prefix: "" })]).toEqual(rows);
  expect(socket.saved).toEqual(saved);
  expect(String(wake(socket)?.state)).toHaveLength(before);
  live.setState("z".repeat(after));
  expect(String(wake(socket)?.state)).toHaveLength(after);
});

test("setState from a row to the snapshot succeeds though the row can't be deleted", () => {
  const { faults, open, wake } = setup();
  const { live, socket } = open(20_000);
  faults.add("delete");
  live.setState("short");
  expect(wake(socket)?.state).toBe("short");
});

test("subscribe, unsubscribe, present and renew that can't be stored throw, and change nothing", () => {
  const { faults, open, server } = setup();
  const { live } = open(10);
  live.subscribe("kept");
  live.present("ada");
  const changes: (() => void)[] = [
    () => live.subscribe("new"),
    () => live.unsubscribe("kept"),
    () => live.present("grace"),
    () => live.absent(),
    () => live.renew(9000),
  ];
  for (const change of changes) {
    faults.add("save");
    expect(change).toThrow("save is broken");
  }
  expect([...live.topics]).toEqual(["kept"]);
  expect([...server.localRoom("r").topics()]).toEqual([["kept", 1]]);
  expect(
    server
      .localRoom("r")
      .presence()
      .map(({ id }) => id),
  ).toEqual(["ada"]);
  expect(live.expiresAt).toBeUndefined();
});

test.each<Method>(["set", "save"])(
  "a connection whose state can't be stored because %s fails does not open, and leaves nothing",
  (method) => {
    const open_ = vi.fn();
    const { faults, open, server, store } = setup({ open: open_ });
    faults.add(method);
    expect(() => open(20_000)).toThrow(`${method} is broken`);
    expect(open_).not.toHaveBeenCalled();
    expect([...server.connections()]).toEqual([]);
    expect([...store.list({ prefix: "" })]).toEqual([]);
  },
);

test("a state that a handler has changed into what can't be stored does not keep its connection from closing", async () => {
  const { open, closed, errors, wake } = setup();
  const { live, socket } = open(10);
  const state: Record<string, unknown> = { fine: true };
  live.setState(state);
  state["broken"] = () => {};
  live.close(4000);
  expect(socket.calls).toEqual(["close 4000"]);
  // In another life too it is closing, and with what.
  expect(wake(socket)?.phase).toBe("closing");
  await live.ended(4000, "");
  expect(closed).toHaveLength(1);
  expect(errors.map(({ error }) => error)).toEqual([expect.stringContaining("state.broken is a function")]);
});
