/** A session that survives the reload of its page. */
import { expect, test, vi } from "vitest";
import type { DeliverySocket } from "../../src/delivery/client/index.ts";
import { FakeStorage, Place, socketOf, watch } from "./place.ts";
import type { Watched } from "./place.ts";
import { tellOf } from "./log.ts";

const key = "chat";

function page(place: Place, storage: FakeStorage): Watched {
  return watch(socketOf(place, [], { store: { storage, key } }));
}

/** The page goes without a word: its socket is lost, and it sends and stores nothing more. */
function unload(place: Place, { socket }: { readonly socket: DeliverySocket }, storage: FakeStorage): FakeStorage {
  const kept = new FakeStorage(storage.values);
  const native = place.current;
  socket.addEventListener("disconnect", () => socket.close());
  native.lose(1001);
  return kept;
}

test("what was published meanwhile arrives after what the page had, and nothing twice", async () => {
  const place = new Place();
  const storage = new FakeStorage();
  const first = page(place, storage);
  await first.socket.opened;
  place.publish("one");
  place.send("own one");
  await vi.waitFor(() => expect(first.got).toEqual(["one", "own one"]));
  const kept = unload(place, first, storage);
  place.publish("two");
  place.send("own two");
  const second = page(place, kept);
  await vi.waitFor(() => expect(second.got).toEqual(["own two", "two"]));
  expect([second.events, place.sessions.size]).toEqual([["open"], 1]);
  second.socket.close();
});

test("a position is stored before its message is given on", async () => {
  const place = new Place();
  const storage = new FakeStorage();
  const { socket } = page(place, storage);
  const stored: boolean[] = [];
  socket.addEventListener("message", () => stored.push(storage.values.get(key)?.includes("e1.1.t0") === true));
  socket.addEventListener("gap", () => stored.push(storage.values.get(key)?.includes("e1.3.t2") === true));
  await socket.opened;
  place.publish("one");
  await vi.waitFor(() => expect(stored).toEqual([true]));
  const { current } = place;
  for (const text of ["two", "three", "four"]) place.log.append(text, `t${place.log.head}`);
  place.log.trim(3);
  current.lose();
  await vi.waitFor(() => expect(stored).toEqual([true, true, true].slice(0, stored.length)));
  await vi.waitFor(() => expect(stored.length).toBeGreaterThan(1));
  socket.close();
});

test("an entry of two topics comes once, also if the page was reloaded between the two", async () => {
  const place = new Place();
  const storage = new FakeStorage();
  const { log } = place;
  const other = new (log.constructor as new (epoch: string) => typeof log)("e2");
  place.open = ({ session }) => {
    session.begin({ topic: "a", log: log, number: 1 }, undefined);
    session.begin({ topic: "b", log: other, number: 2 }, undefined);
  };
  const first = page(place, storage);
  await first.socket.opened;
  const tag = "abcdefghijklmn";
  // It comes from one log only, and then the page is gone.
  const entry = log.append("both", tag);
  tellOf(place.served!.session, [{ topic: "a", number: 1, log, entry }]);
  await vi.waitFor(() => expect(first.got).toEqual(["both"]));
  const kept = unload(place, first, storage);
  other.append("both", tag);
  other.append("next", "tag");
  const second = page(place, kept);
  await vi.waitFor(() => expect(second.got).toEqual(["next"]));
  second.socket.close();
});

test("numbers go on after those that the old page has used, whether its messages came or not", async () => {
  const place = new Place();
  place.acknowledges = false;
  const storage = new FakeStorage();
  const first = page(place, storage);
  await first.socket.opened;
  first.socket.send("acknowledged");
  await vi.waitFor(() => expect(place.got).toHaveLength(1));
  place.acknowledge();
  first.socket.send("came");
  await vi.waitFor(() => expect(place.got).toHaveLength(2));
  // Sent, and lost with the socket.
  first.socket.send("lost");
  const kept = unload(place, first, storage);
  const second = page(place, kept);
  // Its hook still runs while the new page sends.
  const fate = second.socket.deliver("of the new page");
  await vi.waitFor(() => expect(place.got.at(-1)).toBe("of the new page"));
  expect(place.got).toEqual(["acknowledged", "came", "of the new page"]);
  place.acknowledge();
  expect(await fate).toBe("acknowledged");
  expect(second.events).toEqual(["open"]);
  second.socket.close();
});

test("what the old page had under way is void also after the server's memory was lost", async () => {
  const place = new Place();
  place.acknowledges = false;
  const storage = new FakeStorage();
  const first = page(place, storage);
  await first.socket.opened;
  first.socket.send("came");
  await vi.waitFor(() => expect(place.got).toHaveLength(1));
  const second = page(place, unload(place, first, storage));
  await second.socket.opened;
  const fate = second.socket.deliver("new");
  await vi.waitFor(() => expect(place.got).toHaveLength(2));
  place.acknowledges = true;
  place.crash();
  expect(await fate).toBe("acknowledged");
  // The hook of the new page's message ran again, that of the old page's did not.
  expect(place.got).toEqual(["came", "new", "new"]);
  expect(second.events).toEqual(["open", "disconnect", "open", "interrupted true"]);
  second.socket.close();
});

test("a session that the server has forgotten is another one: it is told, and nothing of the old page is", async () => {
  const place = new Place();
  place.acknowledges = false;
  const storage = new FakeStorage();
  const first = page(place, storage);
  await first.socket.opened;
  first.socket.send("came");
  await vi.waitFor(() => expect(place.got).toHaveLength(1));
  const kept = unload(place, first, storage);
  place.restart();
  place.acknowledges = true;
  const second = page(place, kept);
  expect(await second.socket.deliver("new")).toBe("acknowledged");
  expect([place.got, second.events]).toEqual([
    ["came", "new"],
    ["open", "interrupted false"],
  ]);
  second.socket.close();
});

test("messages that were not sent are lost with the page", async () => {
  const place = new Place();
  place.welcomes = false;
  const storage = new FakeStorage();
  const first = page(place, storage);
  first.socket.send("never sent");
  first.socket.close();
  place.welcomes = true;
  const second = page(place, new FakeStorage(storage.values));
  expect(await second.socket.deliver("new")).toBe("acknowledged");
  expect(place.got).toEqual(["new"]);
  second.socket.close();
});

test("close ends the session: the next page begins one", async () => {
  const place = new Place();
  const storage = new FakeStorage();
  const first = page(place, storage);
  await first.socket.opened;
  expect(storage.values.get(key)).toContain('"s1"');
  first.socket.close();
  expect(storage.values.get(key)).toBe("");
});

const good: readonly unknown[] = [1, "s1", "1", 0, 0, [], []];

test.each([
  "no JSON",
  "{}",
  "null",
  JSON.stringify([2, ...good.slice(1)]),
  JSON.stringify(good.with(1, "not a token, ")),
  JSON.stringify(good.with(3, -1)),
  JSON.stringify(good.with(3, "0")),
  JSON.stringify(good.with(4, 1e9)),
  JSON.stringify(good.with(4, null)),
  JSON.stringify(good.with(5, 7)),
  JSON.stringify(
    good.with(5, [
      [0, "e.1.t"],
      ["x", "e.1.t", "chat"],
    ]),
  ),
  JSON.stringify(good.with(5, [[0, "no position", "chat"]])),
  JSON.stringify(good.with(6, 7)),
])("a stored value that is damaged, or of another version, is a new session: %s", async (value) => {
  const place = new Place();
  const { socket, got, events } = page(place, new FakeStorage([[key, value]]));
  await socket.opened;
  expect([place.offered[0], events]).toEqual([["edgewire.delivery.1"], ["open"]]);
  place.publish("one");
  await vi.waitFor(() => expect(got).toEqual(["one"]));
  expect(await socket.deliver("sent")).toBe("acknowledged");
  socket.close();
});

test("a storage that throws changes nothing; one that is full forgets, so that the next page does not begin where the session no longer is", async () => {
  const place = new Place();
  const fails = (): never => {
    throw new Error("blocked");
  };
  const broken = watch(socketOf(place, [], { store: { storage: { getItem: fails, setItem: fails }, key } }));
  await broken.socket.opened;
  place.publish("one");
  await vi.waitFor(() => expect(broken.got).toEqual(["one"]));
  broken.socket.close();
  const storage = new FakeStorage();
  const set = storage.setItem.bind(storage);
  const full = page(place, storage);
  await full.socket.opened;
  storage.setItem = (name, value) => (value === "" ? set(name, value) : fails());
  place.publish("two");
  await vi.waitFor(() => expect(full.got).toEqual(["one", "two"]));
  expect(storage.values.get(key)).toBe("");
  full.socket.close();
});

test("of two tabs with one session the newer has it, and the older begins its own, which it does not lose again", async () => {
  const place = new Place();
  place.acknowledges = false;
  const storage = new FakeStorage();
  const older = page(place, storage);
  await older.socket.opened;
  const fate = older.socket.deliver("under way");
  await vi.waitFor(() => expect(place.got).toHaveLength(1));
  const copy = new FakeStorage(storage.values);
  // After the copy: the newer one does not know of it.
  older.socket.send("later");
  await vi.waitFor(() => expect(place.got).toHaveLength(2));
  const newer = page(place, copy);
  const sent = newer.socket.deliver("of the newer");
  await vi.waitFor(() =>
    expect(older.events).toEqual(["open", "disconnect", "open", "uncertain under way", "uncertain later", "interrupted false"]),
  );
  expect(await fate).toBe("uncertain");
  await vi.waitFor(() => expect(place.got).toContain("of the newer"));
  for (const served of place.sessions.values()) place.acknowledge(served);
  expect(await sent).toBe("acknowledged");
  place.acknowledges = true;
  expect(await older.socket.deliver("of the older")).toBe("acknowledged");
  expect(place.got).toEqual(["under way", "later", "of the newer", "of the older"]);
  place.publish("to both");
  await vi.waitFor(() => expect([older.got, newer.got]).toEqual([["to both"], ["to both"]]));
  expect([storage.values.get(key)?.includes('"s2"'), copy.values.get(key)?.includes('"s1"'), newer.events]).toEqual([true, true, ["open"]]);
  older.socket.close();
  newer.socket.close();
});

test("with 1008 not among the final codes the older tab begins its own session all the same", async () => {
  const place = new Place();
  const storage = new FakeStorage();
  const older = watch(socketOf(place, [], { store: { storage, key }, finalCodes: [1000] }));
  await older.socket.opened;
  const newer = page(place, new FakeStorage(storage.values));
  await newer.socket.opened;
  await vi.waitFor(() => expect(older.events).toEqual(["open", "disconnect", "open", "interrupted false"]));
  expect([place.sessions.size, newer.events]).toEqual([2, ["open"]]);
  older.socket.close();
  newer.socket.close();
});
