import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { noRooms } from "../../src/server/no-rooms.ts";
import { defineHandler } from "../../src/handler/define.ts";
import type { Connection } from "../../src/connection/connection.ts";
import { Server } from "../../src/server/server.ts";
import type { Handler } from "../../src/api/handler.ts";
import type { Member, PresenceDiff } from "../../src/api/room.ts";
import type { StoredSnapshot } from "../../src/ports.ts";
import { FakeClock, FakeSocket, settle, snapshot } from "./fake.ts";

function serve(handler: Handler = {}): { server: Server; diffs: PresenceDiff[]; join(): { live: Connection; socket: FakeSocket } } {
  const diffs: PresenceDiff[] = [];
  const server = new Server(defineHandler({ presence: (_, diff) => void diffs.push(diff), ...handler }), {
    name: "fake",
    registry: RoomRegistry,
    clock: new FakeClock(),
  });
  return {
    server,
    diffs,
    join() {
      const socket = new FakeSocket();
      return { socket, live: server.begin(socket, { snapshot: snapshot({ room: "r" }) }) };
    },
  };
}

test("a presence hook that throws or rejects is reported, and changes nothing else", async () => {
  for (const failing of [
    () => {
      throw new Error("boom");
    },
    (async () => Promise.reject(new Error("boom"))) as () => void,
  ]) {
    const errors: unknown[] = [];
    const { server, join } = serve({ presence: failing, error: (error, { hook }) => void errors.push([String(error), hook]) });
    const { live } = join();
    live.present("ada");
    await settle();
    expect(errors).toEqual([["Error: boom", "presence"]]);
    expect(live.phase).toBe("open");
    expect(server.localRoom("r").presence()).toEqual([{ id: "ada", state: undefined, connections: 1 }]);
  }
});

test("where rooms can't be, presence is an error that says what to use", () => {
  const server = new Server(defineHandler({}), { name: "workers", registry: noRooms("use durable()") });
  const live = server.begin(new FakeSocket(), { snapshot: snapshot() });
  expect(() => live.present("ada")).toThrow("use durable()");
  expect(() => live.room.presence()).toThrow("use durable()");
});

test("a room that everyone left is forgotten, and asking about one that never was keeps nothing", () => {
  const { server, join } = serve();
  const { live } = join();
  live.present("ada");
  void live.ended(1000, "");
  expect(server.localRoom("r").presence()).toEqual([]);
  expect(server.localRoom("never").presence()).toEqual([]);
  const next = join().live;
  next.present("ada", 2);
  expect(server.localRoom("r").presence()).toEqual([{ id: "ada", state: 2, connections: 1 }]);
});

type Step = readonly ["join"] | readonly ["present", number, string, number] | readonly ["absent" | "end", number] | readonly ["evict"];

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant(["join"] as const),
  fc.tuple(fc.constant("present" as const), fc.nat(5), fc.constantFrom("ada", "grace", "alan"), fc.nat(3)),
  fc.tuple(fc.constantFrom("absent" as const, "end" as const), fc.nat(5)),
  fc.constant(["evict"] as const),
);

/** The plain model: what each connection said last, in the order in which it was said. */
class Model {
  readonly #said: { live: string; member: string; state: number }[] = [];

  present(live: string, member: string, state: number): void {
    this.remove(live);
    this.#said.push({ live, member, state });
  }

  remove(live: string): void {
    const index = this.#said.findIndex((one) => one.live === live);
    if (index >= 0) this.#said.splice(index, 1);
  }

  get members(): Map<string, Member> {
    const members = new Map<string, Member>();
    for (const { member: id, state } of this.#said) {
      members.set(id, { id, state, connections: (members.get(id)?.connections ?? 0) + 1 });
    }
    return members;
  }
}

test("any sequence of joins, changes, leaves and evictions: list and diffs agree with a plain model", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let served = serve();
      let lives: { live: Connection; socket: FakeSocket }[] = [];
      const model = new Model();
      const told = new Map<string, Member>();
      for (const [kind, index = 0, member = "", state = 0] of steps) {
        const one = lives[index];
        if (kind === "join") lives.push(served.join());
        else if (kind === "evict") {
          const saved = lives.map(({ socket }) => socket.saved as StoredSnapshot);
          served = serve();
          lives = saved.map((kept) => {
            const socket = new FakeSocket();
            socket.saved = kept;
            return { socket, live: served.server.wake(socket, kept) as Connection };
          });
        } else if (one !== undefined && kind === "present") {
          one.live.present(member, state);
          model.present(one.live.id, member, state);
        } else if (one !== undefined) {
          if (kind === "absent") one.live.absent();
          else {
            void one.live.ended(1006, "");
            lives.splice(index, 1);
          }
          model.remove(one.live.id);
        }
        for (const { joined, left, updated } of served.diffs.splice(0)) {
          for (const { id } of joined) expect(told.has(id)).toBe(false);
          for (const { id } of [...left, ...updated]) expect(told.has(id)).toBe(true);
          for (const changed of [...joined, ...updated]) told.set(changed.id, changed);
          for (const { id, connections } of left) {
            expect(connections).toBe(0);
            told.delete(id);
          }
        }
        const here = new Map(
          served.server
            .localRoom("r")
            .presence()
            .map((present) => [present.id, present]),
        );
        expect(here).toEqual(model.members);
        expect(told).toEqual(model.members);
      }
    }),
    { numRuns: 300 },
  );
}, 30_000);

test("a connection that ends while those after it are yet to wake takes nobody's presence with it", () => {
  const { join } = serve();
  // A deploy came between, and one of them can't be brought into its shape.
  const next = serve({
    version: 1,
    error: () => {},
    migrate(state) {
      if (state === undefined) throw new Error("nothing to migrate");
      return state;
    },
  });
  const third = join();
  third.live.setState("some");
  third.live.present("alan");
  const fourth = join();
  fourth.live.present("ada");
  for (const { socket } of [fourth, third]) next.server.wake(socket, socket.saved as StoredSnapshot);
  expect(next.server.localRoom("r").presence()).toEqual([{ id: "alan", state: undefined, connections: 1 }]);
  expect(next.diffs.map(({ left }) => left.map(({ id }) => id))).toEqual([["ada"]]);
});
