/** Who is in a room. The test application publishes each diff to the topic "presence". */
import { deepEqual, equal } from "node:assert/strict";
import { needsRooms, type Chapter, type Context } from "../support/case.ts";
import type { Peer } from "../support/peer.ts";

interface Member {
  readonly id: string;
  readonly state?: unknown;
  readonly connections: number;
}

interface Diff {
  readonly joined: readonly Member[];
  readonly left: readonly Member[];
  readonly updated: readonly Member[];
}

const nothing: Diff = { joined: [], left: [], updated: [] };
const watching = [["subscribe", "presence"]] as const;

export const presence: Chapter = {
  letter: "X",
  title: "Presence",
  cases: [
    {
      id: "X1",
      statement:
        "`present` makes a connection a member, with its state, and `absent` ends it. `room.presence()` and the diffs report both.",
      limits: needsRooms,
      async run(t) {
        const [watcher, ada] = [await watch(t), await t.connect({ message: "run" })];
        deepEqual(await members(t, ada), []);
        await tell(ada, ["present", "ada", { typing: true }]);
        const present = { id: "ada", state: { typing: true }, connections: 1 };
        deepEqual(await diff(watcher), { ...nothing, joined: [present] });
        deepEqual(await members(t, ada), [present]);
        await tell(ada, ["absent"]);
        deepEqual(await diff(watcher), { ...nothing, left: [{ ...present, connections: 0 }] });
        deepEqual(await members(t, ada), []);
      },
    },
    {
      id: "X2",
      statement: "Several connections of one member count once. The state is the latest one set by a connection that is still open.",
      limits: needsRooms,
      async run(t) {
        const [watcher, phone, laptop] = [await watch(t), await t.connect({ message: "run" }), await t.connect({ message: "run" })];
        const ada = (state: string, connections: number): Member => ({ id: "ada", state, connections });
        await tell(phone, ["present", "ada", "on the phone"]);
        deepEqual(await diff(watcher), { ...nothing, joined: [ada("on the phone", 1)] });
        await tell(laptop, ["present", "ada", "on the laptop"]);
        deepEqual(await diff(watcher), { ...nothing, updated: [ada("on the laptop", 2)] });
        await tell(phone, ["present", "ada", "walking"]);
        deepEqual(await diff(watcher), { ...nothing, updated: [ada("walking", 2)] });
        deepEqual(await members(t, laptop), [ada("walking", 2)]);
        await phone.close(1000);
        deepEqual(await diff(watcher), { ...nothing, updated: [ada("on the laptop", 1)] });
        await laptop.lose();
        deepEqual(await diff(watcher), { ...nothing, left: [ada("on the laptop", 0)] });
      },
    },
    {
      id: "X3",
      statement:
        "A connection that becomes present as another member leaves the earlier one: one diff reports both. Repeating the same changes nothing.",
      limits: needsRooms,
      async run(t) {
        const [watcher, peer] = [await watch(t), await t.connect({ message: "run" })];
        await tell(peer, ["present", "ada"], ["present", "ada"], ["present", "grace", 1]);
        deepEqual(await diff(watcher), { ...nothing, joined: [{ id: "ada", connections: 1 }] });
        deepEqual(await diff(watcher), {
          joined: [{ id: "grace", state: 1, connections: 1 }],
          left: [{ id: "ada", connections: 0 }],
          updated: [],
        });
      },
    },
    {
      id: "X4",
      statement: "`room.presence()` and every later diff together give what it returns later: nothing is missing or repeated.",
      limits: needsRooms,
      async run(t) {
        const early = await t.connect({ open: [["present", "early", 0]] });
        await t.done(early, "open");
        const watcher = await t.connect({ open: [...watching, ["presence"]] });
        const known = new Map(((await t.did(watcher, "presence"))["result"] as Member[]).map((member) => [member.id, member]));
        const peers = await Promise.all(
          Array.from({ length: 8 }, (_, index) => t.connect({ open: [["present", `member ${index % 5}`, index]], message: "run" })),
        );
        for (const peer of peers) await t.done(peer, "open");
        await Promise.all(
          peers.slice(0, 4).map((peer, index) => (index % 2 === 0 ? peer.close() : tell(peer, ["present", "changed", index]))),
        );
        for (const peer of [peers[0]!, peers[2]!]) await t.done(peer, "close");
        for (const peer of [peers[1]!, peers[3]!]) await t.done(peer, "message");
        await tell(peers[7]!, ["publish", "presence", "the end"]);
        for (;;) {
          const text = await textOf(watcher);
          if (text === "the end") break;
          const { joined, left, updated } = JSON.parse(text) as Diff;
          for (const { id } of joined) equal(known.has(id), false, `${id} joined twice`);
          for (const { id } of [...left, ...updated]) equal(known.has(id), true, `${id} was not there`);
          for (const member of [...joined, ...updated]) known.set(member.id, member);
          for (const { id } of left) known.delete(id);
        }
        deepEqual(sorted([...known.values()]), sorted(await members(t, peers[7]!)));
      },
    },
    {
      id: "X5",
      statement: "After an eviction everyone is still present, once, and no diff reports it. Whoever leaves then is reported.",
      limits: needsRooms,
      async run(t) {
        const watcher = await watch(t);
        const [one, two] = [await t.connect({ message: "run" }), await t.connect({ message: "run" })];
        await tell(one, ["present", "ada", "é€😀"]);
        await diff(watcher);
        await tell(two, ["present", "ada", "two"]);
        await diff(watcher);
        await t.evict();
        deepEqual(await t.outside().presence(), [{ id: "ada", state: "two", connections: 2 }]);
        await t.evict();
        await two.close();
        deepEqual(await diff(watcher), { ...nothing, updated: [{ id: "ada", state: "é€😀", connections: 1 }] });
        await t.evict();
        await tell(one, ["present", "ada", "again"]);
        deepEqual(await diff(watcher), { ...nothing, updated: [{ id: "ada", state: "again", connections: 1 }] });
      },
    },
    {
      id: "X6",
      statement: "A closing connection is absent at once, even in the hook that closes it; `present` does nothing then.",
      limits: needsRooms,
      async run(t) {
        const peer = await t.connect({ message: [["present", "ada"], ["close", 4000], ["presence"], ["present", "ada"], ["presence"]] });
        await peer.send("go");
        for (const nth of [1, 2]) deepEqual((await t.did(peer, "presence", nth))["result"], []);
      },
    },
    {
      id: "X7",
      statement: "A member whose client vanished leaves when liveness finds it.",
      limits: needsRooms,
      async run(t) {
        const watcher = await t.connect({ on: "lively", open: watching });
        const gone = await t.connect({ on: "lively", answersPing: false, message: [["present", "ada"]] });
        await gone.ping();
        await gone.send("go");
        deepEqual(await diff(watcher), { ...nothing, joined: [{ id: "ada", connections: 1 }] });
        deepEqual(await diff(watcher), { ...nothing, left: [{ id: "ada", connections: 0 }] });
        equal((await t.closing(gone)).code, 1006);
      },
    },
    {
      id: "X8",
      statement: "Presence belongs to one room. From outside, every room's presence can be read, also an empty one's.",
      limits: needsRooms,
      async run(t) {
        const [one, other] = [await t.connect({ room: "one", message: "run" }), await t.connect({ room: "other", message: "run" })];
        await tell(one, ["present", "ada", [1]]);
        await tell(other, ["present", "grace", 2]);
        await t.done(one, "message");
        await t.done(other, "message");
        deepEqual(await t.outside("one").presence(), [{ id: "ada", state: [1], connections: 1 }]);
        deepEqual(await t.outside("other").presence(), [{ id: "grace", state: 2, connections: 1 }]);
        deepEqual(await t.outside("empty").presence(), []);
      },
    },
    {
      id: "X9",
      statement: "An invalid member name, or a state that can't be stored or takes more than 1 KiB, throws and changes nothing.",
      limits: needsRooms,
      async run(t) {
        const peer = await t.connect({ message: "run" });
        await tell(peer, ["present", "ada", 1]);
        for (const member of ["", "x".repeat(513), 1, null]) await tell(peer, ["present", member]);
        await tell(peer, ["presentOdd", "grace", "callback"], ["present", "grace", "x".repeat(1025)], ["presence"]);
        deepEqual((await t.did(peer, "presence"))["result"], [{ id: "ada", state: 1, connections: 1 }]);
        const threw = t.entries(peer).flatMap(({ did, threw: name }) => (did === "present" || did === "presentOdd" ? [name] : []));
        deepEqual(threw, [undefined, "TypeError", "TypeError", "TypeError", "TypeError", "TypeError", "RangeError"]);
      },
    },
  ],
};

async function watch(t: Context): Promise<Peer> {
  const watcher = await t.connect({ open: watching });
  await t.done(watcher, "open");
  return watcher;
}

function tell(peer: Peer, ...steps: readonly (readonly unknown[])[]): Promise<void> {
  return peer.send(JSON.stringify(steps));
}

/** What `room.presence()` says in a hook of this client. */
const asked = new WeakMap<Peer, number>();
async function members(t: Context, peer: Peer): Promise<Member[]> {
  const nth = (asked.get(peer) ?? 0) + 1;
  asked.set(peer, nth);
  await tell(peer, ["presence"]);
  return (await t.did(peer, "presence", nth))["result"] as Member[];
}

async function diff(watcher: Peer): Promise<Diff> {
  return JSON.parse(await textOf(watcher)) as Diff;
}

async function textOf(peer: Peer): Promise<string> {
  for (;;) {
    const event = await peer.next();
    if (event.type === "text") return event.data;
    // Where the server pings.
    if (event.type !== "ping") throw new Error(`no text but ${JSON.stringify(event)}`);
  }
}

function sorted(of: readonly Member[]): Member[] {
  return of.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}
