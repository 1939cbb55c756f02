import { deepEqual, equal, match, ok } from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { needsRooms, needsWire, type Case, type Chapter, type ConnectOptions, type Context } from "../support/case.ts";
import { patience } from "../support/client.ts";
import { expectTexts, type Peer } from "../support/peer.ts";
import type { Script } from "../support/script.ts";
import { encodeFrame, Opcode } from "../wire/frames.ts";
import { proxied } from "./proxied.ts";

const size = 64 * 1024;
const saysNothing: Case["limits"] = { workers: "P20", durable: "P20", evicted: "P20" };
const cannotCount: Case["limits"] = { workers: "P25" };

export const limits: Chapter = {
  letter: "Z",
  title: "Limits",
  cases: [
    {
      id: "Z1",
      statement:
        'A connection over `rate.messages` is closed with 1008 "Too many messages". What was within the rate has been delivered, in order.',
      async run(t) {
        const peer = await t.connect({ on: "limited" });
        await peer.sendAll(numbers(100));
        await closed(peer, "Too many messages");
        deepEqual(await t.closing(peer), { code: 1008, reason: "Too many messages", initiator: "server" });
        const given = delivered(t, peer);
        ok(given.length >= 5 && given.length < 100, `${given.length} messages were delivered`);
        deepEqual(given, numbers(given.length));
      },
    },
    {
      id: "Z2",
      statement: 'A connection over `rate.bytes` is closed with 1008 "Too many bytes".',
      async run(t) {
        const peer = await t.connect({ on: "limited" });
        await peer.sendAll(numbers(4).map((number) => number.padEnd(4000, ".")));
        await closed(peer, "Too many bytes");
        deepEqual(await t.closing(peer), { code: 1008, reason: "Too many bytes", initiator: "server" });
        equal(delivered(t, peer).length, 2);
      },
    },
    {
      id: "Z3",
      statement:
        'With `rate.over: "drop"` the message is dropped, the `drop` hook is told how many were dropped, and the connection stays.',
      async run(t) {
        const peer = await t.connect({ on: "lossy", drop: [["send", "slow down"]] });
        // What is dropped has no hook that an eviction could wait for.
        peer.after = async () => {};
        await peer.sendAll(numbers(50));
        const dropped = await t.hook(peer, "drop");
        deepEqual(dropped["messages"], 1);
        equal(dropped["bytes"], 1);
        await expectTexts(peer, "0", "1", "2", "3", "4", "slow down");
        // The bucket fills again.
        const again = { echoed: false };
        const sending = (async () => {
          while (!again.echoed) {
            await peer.send("later");
            await sleep(50);
          }
        })();
        for (;;) {
          const event = await peer.next();
          if (event.type !== "text") throw new Error(`${JSON.stringify(event)} instead of an echo`);
          if (event.data === "later") break;
        }
        again.echoed = true;
        await sending;
      },
    },
    {
      id: "Z4",
      statement: "Messages of one connection don't count against another.",
      async run(t) {
        const peers = [await t.connect({ on: "limited" }), await t.connect({ on: "limited" })];
        for (const peer of peers) {
          await peer.sendAll(numbers(4));
          await expectTexts(peer, ...numbers(4));
        }
      },
    },
    {
      id: "Z5",
      statement:
        "`subscribe` throws a RangeError over `maxTopics` subscriptions. Leaving a topic makes room, and subscribing again to a held topic costs nothing.",
      limits: needsRooms,
      async run(t) {
        const script = ["a", "b", "c", "a", "d"].map((topic) => ["subscribe", topic] as const);
        const peer = await t.connect({ on: "limited", open: [...script, ["unsubscribe", "a"], ["subscribe", "d"], ["inspect"]] });
        deepEqual((await t.did(peer, "inspect"))["topics"], ["b", "c", "d"]);
        const thrown = t.entries(peer).filter((entry) => entry["threw"] !== undefined);
        deepEqual(
          thrown.map((entry) => entry["threw"]),
          ["RangeError"],
        );
        match(String(thrown[0]?.["message"]), /maxTopics/);
      },
    },
    {
      id: "Z6",
      statement: "A topic over `maxName` bytes is a TypeError. So is such a room from `upgrade`: the client gets a 500.",
      async run(t) {
        const peer = await t.connect({ on: "limited", open: [["subscribe", "é".repeat(33)]] });
        equal((await t.did(peer, "subscribe"))["threw"], "TypeError");
        const { status } = await t.refused({ on: "limited", upgrade: [["accept", { room: "r".repeat(65) }]] });
        equal(status, 500);
      },
    },
    {
      id: "Z7",
      statement:
        "A room with `maxConnectionsPerRoom` connections is full: a handshake gets 503 with Retry-After, until one has left. Other rooms are not.",
      limits: cannotCount,
      async run(t) {
        const on = "crowded";
        const first = await t.connect({ on });
        await t.connect({ on });
        const refusal = await t.refused({ on });
        deepEqual([refusal.status, refusal.body, refusal.header("retry-after")], [503, "the room is full\n", "5"]);
        await t.connect({ on, room: "another" });
        await leave(t, first);
        await t.connect({ on });
        equal((await t.refused({ on })).status, 503);
      },
    },
    {
      id: "Z30",
      statement:
        "A client that leaves while `upgrade` is pending, or that `upgrade` refuses, holds no place: the next client gets it at once.",
      limits: needsWire,
      async run(t) {
        // Its places expire after 10 s, which is later than all that is here.
        const on = "crowded";
        const upgrades = (key: "hook" | "done"): number => t.entries().filter((entry) => entry[key] === "upgrade").length;
        for (const end of ["reset", "reset", "reset", "destroy", "destroy", "destroy"] as const) {
          const before = upgrades("done");
          const client = await t.dial(on);
          client.write(
            t.request({
              on,
              upgrade: [
                ["sleep", 50],
                ["accept", {}],
              ],
            }),
          );
          await t.until("upgrade", () => upgrades("hook") > before);
          client[end]();
          await t.until("the end of upgrade", () => upgrades("done") > before);
        }
        for (let round = 0; round < 3; round++) equal((await t.refused({ on, upgrade: [["refuse", { status: 403 }]] })).status, 403);
        // The runtime may be about to notice.
        const begin = performance.now();
        for (;;) {
          const client = await t.handshake({ on });
          if (client.accepted) break;
          ok(performance.now() - begin < 5000, "503: the room is full, of clients that have left");
          await sleep(100);
        }
      },
    },
    {
      id: "Z8",
      statement: "A server with `maxConnections` connections is full too, whatever the room.",
      limits: cannotCount,
      async run(t) {
        const on = "few";
        const first = await t.connect({ on });
        await t.connect({ on });
        const refusal = await t.refused({ on });
        deepEqual([refusal.status, refusal.body, refusal.header("retry-after")], [503, "the server is full\n", "5"]);
        await leave(t, first);
        await t.connect({ on });
        equal((await t.refused({ on })).status, 503);
      },
    },
    {
      id: "Z9",
      statement: "Pending handshakes count: where two connections are allowed, two of five at once with a slow `upgrade` are accepted.",
      limits: cannotCount,
      async run(t) {
        const upgrade: ConnectOptions["upgrade"] = [
          ["sleep", 50],
          ["accept", {}],
        ];
        const all = await Promise.allSettled(numbers(5).map(() => t.connect({ on: "few", upgrade })));
        const accepted = all.filter(({ status }) => status === "fulfilled").length;
        equal(accepted, 2, `${accepted} of 5 handshakes were accepted`);
        for (const one of all) if (one.status === "rejected") match(String(one.reason), /503/);
      },
    },
    {
      id: "Z10",
      statement: "A handshake that is refused, fails or takes too long gives its place back.",
      async run(t) {
        const on = "few";
        for (const upgrade of [
          [["refuse", { status: 401 }]],
          [["throw", `tag=${t.tag}`]],
          [
            ["sleep", 1],
            ["reject", `tag=${t.tag}`],
          ],
          [["never"]],
        ] satisfies ConnectOptions["upgrade"][]) {
          const statuses = await Promise.all([1, 2].map(async () => (await t.refused({ on, upgrade })).status));
          equal(new Set(statuses).size, 1, `statuses ${statuses.join(" ")}`);
        }
        await t.connect({ on });
        await t.connect({ on });
      },
    },
    {
      id: "Z11",
      statement: "A client that leaves before its handshake is answered gives its place back too.",
      limits: { ...needsWire, workers: "P30", durable: "P30", evicted: "P30" },
      async run(t) {
        const on = "few";
        const clients = [await t.dial(on), await t.dial(on)];
        for (const client of clients)
          client.write(
            t.request({
              upgrade: [
                ["sleep", 50],
                ["accept", {}],
              ],
            }),
          );
        await t.until("both upgrades", () => t.entries().filter((entry) => entry.hook === "upgrade").length === 2);
        for (const client of clients) client.reset();
        await eventually(() => t.connect({ on }));
        await eventually(() => t.connect({ on }));
      },
    },
    {
      id: "Z12",
      statement:
        "An address with `maxConnectionsPerAddress` connections gets 429 with Retry-After, and other addresses don't. IPv6 clients are counted by /64.",
      limits: cannotCount,
      async run(t) {
        const from = (address: string): ConnectOptions => ({ on: "addressed", headers: [["X-Forwarded-For", address]] });
        const first = await t.connect(from("203.0.113.1"));
        await t.connect(from("6.6.6.6, 203.0.113.1"));
        const refusal = await t.refused(from("203.0.113.1"));
        deepEqual([refusal.status, refusal.body, refusal.header("retry-after")], [429, "too many connections from this address\n", "5"]);
        await t.connect(from("203.0.113.2"));
        await leave(t, first);
        await t.connect(from("203.0.113.1"));
        await t.connect(from("2001:db8:0:1::1"));
        await t.connect(from("2001:db8:0:1:ffff::1"));
        equal((await t.refused(from("2001:db8:0:1::2"))).status, 429);
        await t.connect(from("2001:db8:0:2::1"));
      },
    },
    {
      id: "Z13",
      statement:
        "With a `trustProxy` list the client is the first unlisted address from the right of X-Forwarded-For. An invalid address, and everything left of it, does not count.",
      async run(t) {
        equal(await addressOf(t, "6.6.6.6, 203.0.113.7, 10.0.0.2"), "203.0.113.7");
        equal(await addressOf(t, "203.0.113.7:1234, 10.0.0.2"), "203.0.113.7");
        equal(await addressOf(t, "203.0.113.7, nonsense, 10.0.0.2"), "10.0.0.2");
        equal(await addressOf(t, "203.0.113.7, unknown"), "127.0.0.1");
        equal(await addressOf(t, undefined), "127.0.0.1");
      },
    },
    {
      id: "Z14",
      statement: "The same holds for X-Forwarded-Host in the origin check: elements left of the trusted proxies' come from the client.",
      async run(t) {
        const headers = (host: string): ConnectOptions => ({
          on: "networks",
          headers: [...peerAt, ["Origin", "https://app.example"], ["X-Forwarded-For", "203.0.113.7, 10.0.0.2"], ["X-Forwarded-Host", host]],
        });
        await t.connect(headers("app.example"));
        await t.connect(headers("evil.example, app.example, inner.example"));
        equal((await t.refused(headers("app.example, evil.example, inner.example"))).status, 403);
      },
    },
    {
      id: "Z15",
      statement:
        'With `slowConsumer: "coalesce"` a client that does not read later gets only each topic\'s newest message, topics in the order in which they began to wait. Then it gets what is published as before.',
      limits: { ...saysNothing, ...needsRooms },
      async run(t) {
        const { reader, sender, sent } = await coalesced(t);
        for (const topic of ["b", "a", "c"]) await publish(t, sender, topic, `last ${topic}`);
        reader.resume();
        const received = await readUntil(reader, "last c");
        ok(received.length < sent + 3, `${received.length} of ${sent} messages arrived`);
        deepEqual(received.slice(-3), ["last a", "last b", "last c"]);
        // Until the server knows that it has been read, a newer message may still replace one: not the next.
        await t.done(reader, "drain");
        await publish(t, sender, "a", "next");
        await expectTexts(reader, "next");
      },
    },
    {
      id: "Z31",
      statement:
        "There, a `key` of `publish` makes a slot of its own: a client that does not read later gets the newest message of each topic and key, whoever published it, in the order in which they began to wait.",
      limits: { ...saysNothing, ...needsRooms },
      async run(t) {
        const { reader, sender } = await coalesced(t);
        const rounds = ["old", "new"].flatMap((age): Script => [
          ["publish", "b", `ada ${age}`, { key: "ada" }],
          ["publish", "b", `no key ${age}`],
          ["room", "publish", "b", `bob ${age}`, { key: "bob" }],
          ["room", "publish", ["c", "b"], `ada in c ${age}`, { key: "ada" }],
        ]);
        const before = t.entries(sender).filter((entry) => entry.done === "message").length;
        await run(sender, ...rounds, ["far", t.room(), "publish", "b", "bob newest", { key: "bob" }]);
        await t.done(sender, "message", before + 1);
        reader.resume();
        const received = await readUntil(reader, "ada in c new");
        // Topic a began to wait before.
        deepEqual(received.slice(-4), ["ada new", "no key new", "bob newest", "ada in c new"]);
        await t.done(reader, "drain");
        await run(sender, ["publish", "b", "ada next", { key: "ada" }], ["publish", "b", "ada last", { key: "ada" }]);
        await expectTexts(reader, "ada next", "ada last");
      },
    },
    {
      id: "Z32",
      statement:
        "Keys that wait count towards `maxBuffered`, 256 bytes each besides message and key: a client that reads nothing of too many is closed with 1013.",
      limits: { ...saysNothing, ...needsRooms },
      async run(t) {
        const { reader, sender } = await coalesced(t);
        const before = t.entries(sender).filter((entry) => entry.done === "message").length;
        // All in one turn: a moment later the kernel may take more, and the buffer would have room again.
        await run(sender, ["repeat", 64, [["publish", "a", { letter: "x", times: size }]]], ["publishKeys", "b", 17_000]);
        await t.done(sender, "message", before + 1);
        reader.resume();
        deepEqual(await t.closing(reader), { code: 1013, reason: "Slow consumer", initiator: "server" });
      },
    },
    {
      id: "Z16",
      statement: "Messages of `send` are never replaced: they are sent before the kept ones, and at `maxBuffered` they close with 1013.",
      limits: { ...saysNothing, ...needsRooms },
      async run(t) {
        const { reader, sender } = await coalesced(t);
        await publish(t, sender, "b", "kept");
        await run(reader, ["send", "direct 1"], ["send", "direct 2"]);
        await t.did(reader, "send", 2);
        reader.resume();
        const received = await readUntil(reader, "kept");
        // Topic a began to wait before b.
        deepEqual(received.slice(-4, -2), ["direct 1", "direct 2"]);
        reader.pause();
        await run(reader, ["flood", 512, size]);
        match(String((await t.did(reader, "flood"))["result"]), /^[sb]+dc+$/);
        reader.resume();
        deepEqual(await t.closing(reader), { code: 1013, reason: "Slow consumer", initiator: "server" });
      },
    },
    {
      id: "Z17",
      statement:
        "`connection.drained()` resolves when the client has read, not before; if less than `highWaterMark` waits, it resolves at once.",
      limits: saysNothing,
      async run(t) {
        const peer = await t.connect({ message: "run" });
        await run(peer, ["drained"], ["send", "at once"]);
        await expectTexts(peer, "at once");
        peer.pause();
        await run(peer, ["flood", 192, size], ["drained"], ["send", "read"]);
        match(String((await t.did(peer, "flood"))["result"]), /^[sb]*b$/);
        await t.barrier();
        equal(t.entries(peer).filter((entry) => entry.did === "drained").length, 1, "drained resolved while the client did not read");
        peer.resume();
        equal((await readUntil(peer, "read")).length, 193);
      },
    },
    {
      id: "Z18",
      statement: "`connection.drained()` also resolves when the connection ends, and the hook goes on.",
      async run(t) {
        const peer = await t.connect({ message: "run" });
        peer.pause();
        await run(peer, ["flood", 192, size], ["drained"], ["inspect"]);
        await t.did(peer, "flood");
        await peer.lose();
        await t.did(peer, "inspect");
        await t.done(peer, "message");
      },
    },
    {
      id: "Z19",
      statement: "A request whose head trickles in is cut off after `upgradeTimeout` with 408.",
      limits: { ...needsWire, attached: "P26", hono: "P26", bun: "P26", deno: "P26", workers: "P26", durable: "P26", evicted: "P26" },
      async run(t) {
        const client = await t.dial("tight");
        client.write("GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
        const dripping = setInterval(() => client.write("x"), 50);
        try {
          equal((await client.head()).status, 408);
        } finally {
          clearInterval(dripping);
        }
        await t.barrier();
      },
    },
    {
      id: "Z25",
      statement:
        "A closed client that does not answer and sends on reaches no hook. After `closeTimeout` its place is free, and others are served meanwhile.",
      limits: cannotCount,
      async run(t) {
        const deaf = await Promise.all([1, 2].map(() => dismissed(t)));
        const flood = setInterval(() => void Promise.all(deaf.map((peer) => peer.sendAll(numbers(50)).catch(() => {}))), 5);
        try {
          for (const peer of deaf) await t.done(peer, "close");
          const others = [await t.connect({ on: "fleeting" }), await t.connect({ on: "fleeting" })];
          for (const peer of others) {
            await peer.send("served");
            await expectTexts(peer, "served");
          }
          equal((await t.refused({ on: "fleeting" })).status, 503);
        } finally {
          clearInterval(flood);
        }
        for (const peer of deaf) equal(t.entries(peer).filter((entry) => entry.hook === "message").length, 1);
      },
    },
    {
      id: "Z26",
      statement: "The same holds for any number of such clients.",
      limits: { deno: "P50", durable: "P50", evicted: "P50" },
      async run(t) {
        for (let round = 0; round < 3; round++) {
          const deaf = [await dismissed(t), await dismissed(t)];
          for (const peer of deaf) await t.done(peer, "close");
        }
      },
    },
    {
      id: "Z27",
      statement: "Once such a client closes its socket, it no longer counts anywhere.",
      async run(t) {
        for (let round = 0; round < 6; round++) {
          const deaf = await eventually(() => dismissed(t));
          await t.done(deaf, "close");
          await deaf.lose();
        }
        await eventually(() => t.connect({ on: "fleeting" }));
        await eventually(() => t.connect({ on: "fleeting" }));
      },
    },
    {
      id: "Z28",
      statement: "A message in 65 000 fragments of one byte is delivered whole.",
      limits: needsWire,
      run: (t) => fragmented(t, 65_000),
    },
    {
      id: "Z29",
      statement: "A message in 70 000 fragments of one byte is delivered whole too.",
      limits: { ...needsWire, node: "P51", attached: "P51", hono: "P51" },
      run: (t) => fragmented(t, 70_000),
    },
    ...proxied,
  ],
};

/** A client that the server has closed, and that does not answer. */
async function dismissed(t: Context): Promise<Peer> {
  const peer = await t.connect({ on: "fleeting", answersClose: false, message: [["close", 4000]] });
  peer.after = async () => {};
  await peer.send("go");
  await t.done(peer, "message");
  return peer;
}

async function fragmented(t: Context, fragments: number): Promise<void> {
  const peer = await t.connect();
  const first = encodeFrame({ opcode: Opcode.text, fin: false, payload: "a" });
  const middle = encodeFrame({ opcode: Opcode.continuation, fin: false, payload: "b" });
  const last = encodeFrame({ opcode: Opcode.continuation, payload: "c" });
  peer.wire.write(Buffer.concat([first, ...Array.from({ length: fragments - 2 }, () => middle), last]));
  await expectTexts(peer, `a${"b".repeat(fragments - 2)}c`);
}

/** Makes 127.0.0.1 the peer on workerd too, where no edge says who it is; no other runtime looks at it. */
const peerAt: readonly (readonly [string, string])[] = [["CF-Connecting-IP", "127.0.0.1"]];

async function addressOf(t: Context, forwardedFor: string | undefined): Promise<unknown> {
  const headers = [...peerAt, ...(forwardedFor === undefined ? [] : [["X-Forwarded-For", forwardedFor] as const])];
  const peer = await t.connect({ on: "networks", headers, open: [["inspect"]] });
  return (await t.did(peer, "inspect"))["remoteAddress"];
}

/** A reader of a, b and c that has stopped, for which topic a waits. */
async function coalesced(t: Context): Promise<{ reader: Peer; sender: Peer; sent: number }> {
  const open = ["a", "b", "c"].map((topic) => ["subscribe", topic] as const);
  const reader = await t.connect({ on: "latest", open, message: "run" });
  const sender = await t.connect({ on: "latest", message: "run" });
  await t.done(reader, "open");
  for (const peer of [reader, sender]) peer.after = async () => {};
  reader.pause();
  let sent = 0;
  // Until no kernel takes any more of it. Runtimes that write later than we send show a full buffer for a moment before that.
  for (let full = 0, round = 1; full < 3 && round <= 100; round++) {
    await run(sender, ["repeat", 4, [["publish", "a", { letter: "x", times: size }]]]);
    await t.done(sender, "message", round);
    for (const entry of t.entries(sender)) ok(!("threw" in entry), String(entry["message"]));
    sent += 4;
    await t.barrier();
    await run(reader, ["inspect"]);
    const waiting = (await t.did(reader, "inspect", round))["bufferedAmount"] as number;
    ok(waiting < 1024 * 1024, `${waiting} bytes wait for a client that is owed one message`);
    full = waiting > 0 ? full + 1 : 0;
    if (full === 0 && round === 100) throw new Error(`${waiting} bytes wait`);
  }
  return { reader, sender, sent };
}

async function publish(t: Context, sender: Peer, topic: string, text: string): Promise<void> {
  const before = t.entries(sender).filter((entry) => entry.done === "message").length;
  await run(sender, ["publish", topic, text]);
  await t.done(sender, "message", before + 1);
}

/** Everything up to that text; large messages as their first letter. */
async function readUntil(peer: Peer, last: string): Promise<string[]> {
  const received: string[] = [];
  while (received.at(-1) !== last) {
    const event = await peer.next();
    if (event.type !== "text" && event.type !== "binary") throw new Error(`${JSON.stringify(event)} instead of "${last}"`);
    received.push(event.type === "text" ? event.data.slice(0, 20) : "bytes");
  }
  return received;
}

function run(peer: Peer, ...script: readonly (readonly unknown[])[]): Promise<void> {
  return peer.send(JSON.stringify(script));
}

async function leave(t: Context, peer: Peer): Promise<void> {
  await peer.close(1000);
  await t.done(peer, "close");
}

/** The close that follows whatever was answered before. */
async function closed(peer: Peer, reason: string): Promise<void> {
  for (;;) {
    const event = await peer.next();
    if (event.type === "text") continue;
    return deepEqual(event, { type: "close", code: 1008, reason });
  }
}

/** Tries until it succeeds. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + patience;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

function delivered(t: Context, peer: Peer): unknown[] {
  return t
    .entries(peer)
    .filter((entry) => entry.hook === "message")
    .map((entry) => (entry["data"] as { text: string }).text);
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}
