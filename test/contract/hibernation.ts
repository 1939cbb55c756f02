import { deepEqual, equal } from "node:assert/strict";
import { needsRooms, needsWire, type Chapter, type Context, type Peer } from "../support/case.ts";
import { expectClose, expectTexts } from "../support/peer.ts";
import { Opcode, closePayload } from "../wire/frames.ts";

/** `t.evict` forgets the object's memory where there is an object; elsewhere memory outlives the sockets, and the statements hold all the more. */
export const hibernation: Chapter = {
  letter: "D",
  title: "Hibernation",
  cases: [
    {
      id: "D1",
      statement: "State, id, room, URL, subprotocol and address are the same after an eviction, and `open` does not run again.",
      async run(t) {
        const peer = await t.connect({
          on: "protocols",
          headers: [["Sec-WebSocket-Protocol", "v1"]],
          upgrade: [["accept", { state: { user: "ada", tags: ["a", null] } }]],
          message: [["inspect"]],
        });
        await peer.send("before");
        await t.done(peer, "message", 1);
        await t.evict("protocols");
        await peer.send("after");
        await t.done(peer, "message", 2);
        const [before, after] = [await t.did(peer, "inspect", 1), await t.did(peer, "inspect", 2)];
        deepEqual(after, before);
        deepEqual(after["state"], { user: "ada", tags: ["a", null] });
        equal(t.entries(peer).filter((entry) => entry.hook === "open").length, 1);
      },
    },
    {
      id: "D2",
      statement: "The last `setState` survives, called in `open` or in `message`.",
      async run(t) {
        const peer = await t.connect({ message: "run", open: [["setState", { count: 0 }]] });
        for (let count = 1; count <= 5; count++) {
          await t.done(peer, count === 1 ? "open" : "message", count === 1 ? 1 : 2 * (count - 1));
          await t.evict();
          await peer.sendAll([JSON.stringify([["inspect"]]), JSON.stringify([["setState", { count }]])]);
          deepEqual((await t.did(peer, "inspect", count))["state"], { count: count - 1 });
        }
      },
    },
    {
      id: "D3",
      statement: "Topics survive: a publish after the eviction reaches the subscribers and nobody else.",
      limits: needsRooms,
      async run(t) {
        const sub = await t.connect({
          open: [
            ["subscribe", "a"],
            ["subscribe", "b"],
            ["unsubscribe", "b"],
          ],
        });
        const other = await t.connect();
        const pub = await t.connect({ message: "run" });
        for (const peer of [sub, other, pub]) await t.done(peer, "open");
        await t.evict();
        await pub.send(
          JSON.stringify([
            ["publish", "b", "nobody"],
            ["publish", "a", "subscribers"],
          ]),
        );
        await expectTexts(sub, "subscribers");
        equal((await t.did(pub, "publish", 1))["result"], 0);
        equal((await t.did(pub, "publish", 2))["result"], 1);
        await other.send("nothing else");
        await expectTexts(other, "nothing else");
      },
    },
    {
      id: "D4",
      statement: "A publish from outside wakes the object and reaches its subscribers; `count` includes them.",
      limits: needsRooms,
      async run(t) {
        const peer = await t.connect({ open: [["subscribe", "a"]] });
        await t.done(peer, "open");
        await t.evict();
        equal(await t.outside().publish("a", "woken"), 1);
        await expectTexts(peer, "woken");
        await t.evict();
        equal(await t.outside().count(), 1);
      },
    },
    {
      id: "D5",
      statement: "The client's close after an eviction is answered, and the hook runs once, with code and reason.",
      async run(t) {
        const peer = await t.connect();
        await t.done(peer, "open");
        await t.evict();
        await peer.close(4001, "bye");
        const answer = await peer.next();
        equal(answer.type === "close" ? answer.code : answer.type, 4001);
        equal((await peer.next()).type, "end");
        deepEqual(await t.closing(peer), { code: 4001, reason: "bye", initiator: "client" });
      },
    },
    {
      id: "D6",
      statement: 'After an eviction, a reset gives the hook 1006, initiator "network".',
      async run(t) {
        const peer = await t.connect();
        await t.done(peer, "open");
        await t.evict();
        await peer.lose();
        deepEqual(await t.closing(peer), { code: 1006, reason: "", initiator: "network" });
      },
    },
    {
      id: "D7",
      statement: "After our own close, an eviction, and the client's answer, the hook runs once, with our code and reason.",
      limits: needsWire,
      async run(t) {
        for (const answer of [closePayload(4000, "ours"), closePayload(1001, "other"), closePayload()]) {
          const peer = await t.connect({ on: "tight", message: [["close", 4000, "ours"]], answersClose: false });
          const { wire } = peer;
          await peer.send("go");
          await expectClose(peer, 4000, "ours");
          await t.done(peer, "message");
          await t.evict("tight");
          wire.frame({ opcode: Opcode.close, payload: answer });
          deepEqual(await t.closing(peer), { code: 4000, reason: "ours", initiator: "server" });
        }
      },
    },
    {
      id: "D8",
      statement:
        "After our own close and an eviction without an answer, the hook runs after `closeTimeout` with our code, once something wakes the object.",
      async run(t) {
        const peer = await t.connect({ on: "tight", message: [["close", 4000, "ours"]], answersClose: false });
        await peer.send("go");
        await t.done(peer, "message");
        await t.evict("tight");
        await t.barrier("tight");
        deepEqual(await t.closing(peer), { code: 4000, reason: "ours", initiator: "server" });
      },
    },
    {
      id: "D9",
      statement: "A connection whose close hook has run is neither woken again nor counted.",
      limits: needsRooms,
      async run(t) {
        const [gone, stays] = [await t.connect({ message: [["close", 4000]] }), await t.connect()];
        await gone.send("go");
        await t.done(gone, "close");
        await t.evict();
        await stays.send("wake");
        await expectTexts(stays, "wake");
        equal(await t.outside().count(), 1);
        equal(t.entries(gone).filter((entry) => entry.hook === "close").length, 1);
      },
    },
    {
      id: "D10",
      statement: "A connection whose `message` hook failed before the eviction stays closed after it.",
      async run(t) {
        const [failed, stays] = [await t.connect({ message: [["throw", "secret"]] }), await t.connect()];
        await failed.send("go");
        await t.done(failed, "close");
        await t.evict();
        await stays.send("wake");
        await expectTexts(stays, "wake");
        await t.barrier();
        equal(t.entries(failed).filter((entry) => entry.hook === "message" || entry.hook === "close").length, 2);
      },
    },
    {
      id: "D11",
      statement: "50 connections accepted at once survive an eviction, each with its own state.",
      async run(t) {
        const peers = await Promise.all(
          Array.from({ length: 50 }, (_, index) =>
            t.connect({ upgrade: [["accept", { state: index }]], message: [["inspect"], ["echo"]] }),
          ),
        );
        for (const peer of peers) await t.done(peer, "open");
        await t.evict();
        await Promise.all(peers.map((peer) => peer.send(String(peer.number))));
        for (const peer of peers) {
          await expectTexts(peer, String(peer.number));
          equal((await t.did(peer, "inspect"))["state"], peer.number - 1);
        }
      },
    },
    {
      id: "D12",
      statement: "A message after each of 20 evictions in a row is answered, and the answers come in order.",
      async run(t) {
        const peer = await t.connect();
        for (let round = 0; round < 20; round++) {
          await peer.send(String(round));
          await expectTexts(peer, String(round));
          await t.done(peer, "message", round + 1);
          await t.evict();
        }
      },
    },
    {
      id: "D13",
      statement: "A message that arrives while the object is evicted is delivered, after those before it.",
      async run(t) {
        const peer = await t.connect({ message: [["sleep", 5], ["echo"]] });
        await t.done(peer, "open");
        await t.evict();
        await peer.sendAll(["one", "two", "three"]);
        await expectTexts(peer, "one", "two", "three");
      },
    },
    {
      id: "D14",
      statement:
        "State of up to 64 KiB (`maxState`) survives, within a snapshot's 15 KiB or beyond. Over it, `setState` throws a RangeError and the old state stays.",
      async run(t) {
        const peer = await t.connect({ message: "run" });
        const sizes = [1000, 14_000, 15_000, 16_000, 65_000, 66_000, 10];
        for (const [index, size] of sizes.entries()) {
          await peer.send(JSON.stringify([["setState", "x".repeat(size)]]));
          equal((await t.did(peer, "setState", index + 1))["threw"], size > 65_000 ? "RangeError" : undefined);
          await t.done(peer, "message", 2 * index + 1);
          await t.evict();
          await peer.send(JSON.stringify([["inspect"]]));
          const kept = size > 65_000 ? 65_000 : size;
          equal((await t.did(peer, "inspect", index + 1))["state"], "x".repeat(kept));
          await t.done(peer, "message", 2 * index + 2);
        }
      },
    },
    {
      id: "D23",
      statement: "State with letters of any alphabet survives too, at every size up to the snapshot's 15 KiB: its UTF-8 counts.",
      async run(t) {
        const peer = await t.connect({ message: "run" });
        const states = ["é", "€", "😀"].flatMap((letter) => [7_000, 7_900, 14_000].map((size) => letter + "x".repeat(size)));
        for (const [index, state] of states.entries()) {
          await peer.send(JSON.stringify([["setState", state]]));
          equal((await t.did(peer, "setState", index + 1))["threw"], undefined);
          await t.done(peer, "message", 2 * index + 1);
          await t.evict();
          await peer.send(JSON.stringify([["inspect"]]));
          equal((await t.did(peer, "inspect", index + 1))["state"], state);
          await t.done(peer, "message", 2 * index + 2);
        }
      },
    },
    {
      id: "D28",
      statement: "State larger than a snapshot stays while topics come and go, before and after an eviction, and the close hook sees it.",
      limits: needsRooms,
      async run(t) {
        const peer = await t.connect({
          upgrade: [["accept", {}, { letters: 40_000 }]],
          open: [["subscribe", "a"]],
          message: "run",
          close: [["describe"]],
        });
        await t.done(peer, "open");
        await t.evict();
        await peer.send(JSON.stringify([["subscribe", "b"]]));
        await t.done(peer, "message", 1);
        await t.evict();
        await peer.send(JSON.stringify([["unsubscribe", "a"], ["describe"]]));
        equal((await t.did(peer, "describe", 1))["state"], "40000 letters");
        await t.done(peer, "message", 2);
        await t.evict();
        equal(await t.outside().publish("b", "heard"), 1);
        equal(await t.outside().publish("a", "not heard"), 0);
        await expectTexts(peer, "heard");
        await t.evict();
        await peer.close(1000);
        equal((await t.did(peer, "describe", 2))["state"], "40000 letters");
      },
    },
    {
      id: "D15",
      statement:
        "An eviction waits for an asynchronous hook: it runs to its end, what it stored and messages that came meanwhile are kept, and `close` runs once.",
      async run(t) {
        const peer = await t.connect({ message: "run" });
        await peer.send(
          JSON.stringify([
            ["sleep", 300],
            ["setState", "stored"],
            ["send", "slept"],
          ]),
        );
        await t.hook(peer, "message");
        const evicted = t.evict();
        await peer.send(JSON.stringify([["inspect"], ["send", "meanwhile"]]));
        await evicted;
        await expectTexts(peer, "slept", "meanwhile");
        await t.evict();
        await peer.send(JSON.stringify([["inspect"], ["send", "after"]]));
        await expectTexts(peer, "after");
        for (const nth of [1, 2]) equal((await t.did(peer, "inspect", nth))["state"], "stored");
        await peer.close(1000);
        deepEqual(await t.closing(peer), { code: 1000, reason: "", initiator: "client" });
      },
    },
    {
      id: "D16",
      statement: "If a client leaves while an asynchronous hook delays the eviction, the hook runs to its end, then `close`, once.",
      async run(t) {
        const peer = await t.connect({
          message: [
            ["sleep", 300],
            ["setState", "stored"],
          ],
          close: [["inspect"]],
        });
        await peer.send("go");
        await t.hook(peer, "message");
        const evicted = t.evict();
        await peer.lose();
        await evicted;
        deepEqual(await t.closing(peer), { code: 1006, reason: "", initiator: "network" });
        equal((await t.did(peer, "inspect"))["state"], "stored");
      },
    },
    {
      id: "D24",
      statement: "An eviction waits for what was given to `waitUntil`, also of a connection that has closed.",
      async run(t) {
        const peer = await t.connect({ message: [["waitUntil", 400], ["echo"]] });
        await peer.send("stays");
        await expectTexts(peer, "stays");
        await t.evict();
        await t.did(peer, "work");
        const left = await t.connect({ message: [["waitUntil", 400]] });
        await left.send("leaves");
        await t.done(left, "message");
        for (const one of [peer, left]) {
          await one.close(1000);
          await t.closing(one);
        }
        await t.evict();
        await t.did(left, "work");
      },
    },
    {
      id: "D25",
      statement:
        "After an eviction `wake` runs for every open connection, whoever woke the object, before its next message, with its state and its place in the room. Where nothing is evicted it never runs.",
      async run(t) {
        const script = { message: "run", open: [["setState", "kept"]], wake: [["inspect"], ["send", "awake"]] } as const;
        const peers = [await t.connect({ on: "waking", ...script }), await t.connect({ on: "waking", ...script })] as const;
        const [one, two] = peers;
        for (const peer of peers) await t.done(peer, "open");
        await t.evict("waking");
        await one.send(JSON.stringify([["send", "answer"]]));
        await t.done(one, "message");
        if (!evicts(t)) {
          for (const peer of peers) equal(t.entries(peer).filter((entry) => entry.hook === "wake").length, 0);
          return expectTexts(one, "answer");
        }
        for (const peer of peers) {
          await t.done(peer, "wake");
          equal((await t.did(peer, "inspect"))["state"], "kept");
          deepEqual(await peer.next(), { type: "text", data: "awake" });
        }
        deepEqual(hooksOf(t, one).slice(0, 2), ["open", "wake"]);
        equal(hooksOf(t, one).filter((hook) => hook === "open").length, 1);
        equal(hooksOf(t, two).includes("message"), false);
      },
    },
    {
      id: "D26",
      statement: "The event that woke the object waits until the connection's `wake` is done: a message, and the client's close.",
      async run(t) {
        const peer = await t.connect({
          on: "waking",
          wake: [
            ["sleep", 50],
            ["send", "awake"],
          ],
        });
        await t.done(peer, "open");
        await t.evict("waking");
        await peer.send("hello");
        await t.done(peer, "message");
        await t.evict("waking");
        await peer.close(4000);
        await t.done(peer, "close");
        const hooks = hooksOf(t, peer);
        if (evicts(t)) for (const hook of ["message", "close"]) equal(hooks[hooks.indexOf(hook) - 1], "wake", hooks.join(" "));
        else deepEqual(hooks, ["open", "message", "close"]);
      },
    },
    {
      id: "D27",
      statement: 'A `wake` that fails closes its connection with 1011, and reaches `error` with the hook "wake". Others are served.',
      async run(t) {
        const broken = await t.connect({ on: "waking", wake: [["throw", "secret of wake"]] });
        await t.done(broken, "open");
        const rejecting = await t.connect({ on: "waking", wake: [["reject", "secret of wake"]] });
        await t.done(rejecting, "open");
        await t.evict("waking");
        const well = await t.connect({ on: "waking", wake: [] });
        await well.send("hello");
        await expectTexts(well, "hello");
        if (!evicts(t)) return;
        for (const peer of [broken, rejecting]) {
          deepEqual(await t.closing(peer), { code: 1011, reason: "Internal error", initiator: "server" });
          const { of, error } = await t.hook(peer, "error");
          deepEqual([of, error], ["wake", "Error: secret of wake"]);
          await expectClose(peer, 1011, "Internal error");
        }
      },
    },
  ],
};

/** Whether `t.evict` forgets anything here. */
function evicts({ column }: Context): boolean {
  return column === "durable" || column === "evicted" || column === "memory";
}

function hooksOf(t: Context, peer: Peer): string[] {
  return t.entries(peer).flatMap(({ hook }) => (typeof hook === "string" && hook !== "upgrade" ? [hook] : []));
}
