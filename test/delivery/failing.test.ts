/** Sessions over a storage that fails. */
import { expect, test, vi } from "vitest";
import { defineHandler } from "../../src/handler/define.ts";
import { delivery } from "../../src/delivery/server/index.ts";
import type { Store } from "../../src/ports.ts";
import { MemoryStores } from "../../src/rooms/memory-store.ts";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { Server } from "../../src/server/server.ts";
import { FakeClock, FakeSocket, snapshot } from "../unit/fake.ts";

const opening = { snapshot: snapshot(), delivery: { selected: "edgewire.delivery.1" } };

/** A server whose storage fails while it is told to. */
function failing(open: (connection: { subscribe(topic: string, options?: { history: true }): unknown }) => void) {
  const stores = new MemoryStores();
  const state = { fails: false };
  const store = (room: string): Store => {
    const own = stores.of(room);
    return new Proxy(own, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (...given: unknown[]) => {
          if (state.fails) throw new Error("the disk is gone");
          return Reflect.apply(value, target, given) as unknown;
        };
      },
    });
  };
  const handler = defineHandler({ delivery: delivery(), history: { chat: {} }, open, error() {} });
  return { state, server: new Server(handler, { name: "fake", registry: RoomRegistry, clock: new FakeClock(), store }) };
}

test.each([undefined, { history: true }] as const)("a subscription whose log can't be read leaves nothing behind: %j", (options) => {
  const topics: unknown[] = [];
  const { server, state } = failing((connection) => {
    state.fails = true;
    expect(() => connection.subscribe("chat", options)).toThrow("the disk is gone");
    state.fails = false;
    topics.push(...(connection as unknown as { topics: Set<string> }).topics);
  });
  server.open(new FakeSocket(), opening);
  expect(topics).toEqual([]);
  expect(server.localRoom("default").count("chat")).toBe(0);
  expect(server.localRoom("default").publish("chat", "x")).toBe(0);
});

test("a handshake whose room can't be read is refused with 503", () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const { server, state } = failing(() => {});
  state.fails = true;
  const refused = server.admit(opening);
  expect(refused).toMatchObject({ status: 503 });
  expect(log).toHaveBeenCalled();
  state.fails = false;
  expect(server.admit(opening)).not.toMatchObject({ status: 503 });
  log.mockRestore();
});
