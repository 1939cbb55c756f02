import { expect, test } from "vitest";
import { Capacity } from "../../src/rooms/capacity.ts";
import type { Holder } from "../../src/connection/surroundings.ts";
import type { Slot } from "../../src/rooms/capacity.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { causeOf } from "../../src/protocol/refusal.ts";
import type { Options } from "../../src/api/options.ts";
import { FakeClock } from "./fake.ts";

function make(options: Options): { capacity: Capacity; clock: FakeClock; outcome: (result: Slot | Response | undefined) => string } {
  const clock = new FakeClock();
  const capacity = new Capacity(defineHandler(options).settings, clock);
  return { capacity, clock, outcome: (result) => (result instanceof Response ? `${result.status} ${causeOf(result)}` : "in") };
}

function holder(remoteAddress = "", roomName = "lobby"): Holder {
  return { roomName, remoteAddress };
}

/** A connection that was accepted and opened, or the refusal. */
function connect(capacity: Capacity, address = "", room = "lobby"): Response | Holder {
  const place = capacity.enter(address);
  if (place instanceof Response) return place;
  const made = holder(address, room);
  const full = capacity.accept(place, room);
  if (full !== undefined) {
    capacity.leave(place);
    return full;
  }
  capacity.open(made, place);
  return made;
}

test("handshakes under way count, and a place is free again once one is over", () => {
  const { capacity, outcome } = make({ maxConnections: 2 });
  const first = capacity.enter("") as Slot;
  expect(outcome(capacity.enter(""))).toBe("in");
  const refusal = capacity.enter("");
  expect(outcome(refusal)).toBe("503 maxConnections");
  expect((refusal as Response).headers.get("retry-after")).toBe("5");
  capacity.leave(first);
  expect(outcome(capacity.enter(""))).toBe("in");
});

test("a room is full for its own clients, not for others", () => {
  const { capacity } = make({ maxConnectionsPerRoom: 1 });
  const first = connect(capacity, "", "a") as Holder;
  expect(causeOf(connect(capacity, "", "a") as Response)).toBe("maxConnectionsPerRoom");
  expect(connect(capacity, "", "b")).not.toBeInstanceOf(Response);
  capacity.close(first);
  expect(connect(capacity, "", "a")).not.toBeInstanceOf(Response);
  expect(capacity.taken).toBe(2);
});

test("an address is one client, a /64 too, and one that nobody knows is none", () => {
  const { capacity, outcome } = make({ maxConnectionsPerAddress: 1 });
  connect(capacity, "1.2.3.4");
  connect(capacity, "2001:db8::1");
  expect(outcome(capacity.enter("1.2.3.4"))).toBe("429 maxConnectionsPerAddress");
  expect(outcome(capacity.enter("2001:db8::2"))).toBe("429 maxConnectionsPerAddress");
  expect(outcome(capacity.enter("1.2.3.5"))).toBe("in");
  expect(outcome(capacity.enter(""))).toBe("in");
  expect(outcome(capacity.enter(""))).toBe("in");
  capacity.close(holder("1.2.3.4"));
  expect(outcome(capacity.enter("1.2.3.4"))).toBe("in");
});

test("connections that wake are counted, also over the limit", () => {
  const { capacity, outcome } = make({ maxConnections: 2 });
  for (let index = 0; index < 3; index++) capacity.open(holder(), undefined);
  expect(outcome(capacity.enter(""))).toBe("503 maxConnections");
  capacity.close(holder());
  expect(outcome(capacity.enter(""))).toBe("503 maxConnections");
  capacity.close(holder());
  expect(outcome(capacity.enter(""))).toBe("in");
});

test("an accepted handshake that never opens gives its place back: at once when that is told, else after upgradeTimeout", () => {
  const { capacity, clock, outcome } = make({ maxConnections: 1, upgradeTimeout: 1000 });
  const gone = capacity.enter("") as Slot;
  capacity.accept(gone, "lobby");
  expect(outcome(capacity.enter(""))).toBe("503 maxConnections");
  capacity.abandon(gone);
  capacity.abandon(gone);
  expect(capacity.taken).toBe(0);
  capacity.accept(capacity.enter("") as Slot, "lobby");
  clock.advance(999);
  expect(outcome(capacity.enter(""))).toBe("503 maxConnections");
  clock.advance(1);
  expect(outcome(capacity.enter(""))).toBe("in");
});

test("whatever happens in whatever order, no place is lost", () => {
  const { capacity } = make({ maxConnections: 50, maxConnectionsPerRoom: 20, maxConnectionsPerAddress: 10 });
  const open: Holder[] = [];
  for (let index = 0; index < 5000; index++) {
    const result = connect(capacity, `10.0.0.${index % 7}`, `room ${index % 4}`);
    if (!(result instanceof Response)) open.push(result);
    expect(capacity.taken).toBe(open.length);
    expect(open.length).toBeLessThanOrEqual(50);
    if (index % 3 > 0 || open.length === 50) {
      const [one] = open.splice(index % open.length, 1);
      if (one !== undefined) capacity.close(one);
    }
  }
  for (const one of open) capacity.close(one);
  expect(capacity.taken).toBe(0);
});

test("connections that linger take nobody's place, and are as many again as may be there: of a server, a room, an address", () => {
  for (const [options, refusal] of [
    [{ maxConnections: 2 }, "503 maxConnections"],
    [{ maxConnectionsPerRoom: 2 }, "503 maxConnectionsPerRoom"],
    [{ maxConnectionsPerAddress: 2 }, "429 maxConnectionsPerAddress"],
  ] as const) {
    const { capacity, outcome } = make(options);
    const again = (): Response | Holder => connect(capacity, "1.2.3.4");
    const lingering: Holder[] = [];
    // Two of the first round, then each as soon as there is a place.
    for (let round = 0; round < 4; round++) {
      const one = again() as Holder;
      capacity.close(one);
      capacity.linger(one);
      lingering.push(one);
    }
    expect(capacity.lingering).toBe(4);
    expect(outcome(again() as Response)).toBe(refusal);
    capacity.gone(lingering.pop() as Holder);
    expect(again()).not.toBeInstanceOf(Response);
    expect(outcome(again() as Response)).toBe(refusal);
    capacity.gone(lingering.pop() as Holder);
    expect(again()).not.toBeInstanceOf(Response);
    // Two places are taken: no other is there, whoever lets go.
    for (const one of lingering) capacity.gone(one);
    expect(outcome(again() as Response)).toBe(refusal);
    expect([capacity.taken, capacity.lingering]).toEqual([2, 0]);
  }
});
