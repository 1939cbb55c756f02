import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Case, Chapter, Context } from "../support/case.ts";
import { needsRooms } from "../support/case.ts";
import { expectClose, expectTexts, type Peer } from "../support/peer.ts";

/** What a kernel takes for a client that does not read is far less than 100 of these. */
const size = 64 * 1024;
/** 12 MiB: less than the default `maxBuffered`, more than any kernel takes. */
const many = 192;

const saysNothing: Case["limits"] = { workers: "P20", durable: "P20", evicted: "P20" };
const cannotPause: Case["limits"] = { deno: "P21", workers: "P21", durable: "P21", evicted: "P21" };

export const flow: Chapter = {
  letter: "B",
  title: "Flow",
  cases: [
    {
      id: "B1",
      statement: "`bufferedAmount` is 0 when nothing waits, more while the client does not read, and 0 again once it has read.",
      limits: saysNothing,
      async run(t) {
        const peer = await t.connect({ message: "run" });
        await run(peer, ["inspect"]);
        equal((await t.did(peer, "inspect"))["bufferedAmount"], 0);
        peer.pause();
        await run(peer, ["flood", many, size], ["inspect"]);
        const waiting = (await t.did(peer, "inspect", 2))["bufferedAmount"] as number;
        ok(waiting >= size && waiting <= many * (size + 16), `${waiting} bytes wait`);
        peer.resume();
        await readFlood(peer, await results(t, peer));
        // The drain hook has seen it fall; only then is it certain that the runtime has noticed.
        await t.done(peer, "drain");
        await run(peer, ["inspect"]);
        equal((await t.did(peer, "inspect", 3))["bufferedAmount"], 0);
      },
    },
    {
      id: "B25",
      statement:
        "What waits when our side closes is still sent. `bufferedAmount` includes it, in the hook that closes and while the client does not read.",
      limits: saysNothing,
      async run(t) {
        const peer = await t.connect({ message: "run" });
        peer.pause();
        await run(peer, ["flood", many, size], ["inspect"], ["close", 4000], ["inspect"]);
        const amount = async (nth: number): Promise<number> => (await t.did(peer, "inspect", nth))["bufferedAmount"] as number;
        const waiting = await amount(1);
        ok(waiting >= size, `${waiting} bytes wait`);
        ok((await amount(2)) >= waiting, `${await amount(2)} of ${waiting} bytes wait once it closes`);
        peer.resume();
        await readFlood(peer, await results(t, peer));
        await expectClose(peer, 4000);
      },
    },
    {
      id: "B2",
      statement: '`send` returns "backpressure" once `highWaterMark` bytes wait, and `drain` runs once when fewer wait.',
      limits: saysNothing,
      async run(t) {
        const peer = await t.connect({ message: "run", drain: [["send", "drained"]] });
        peer.pause();
        await run(peer, ["flood", many, size]);
        const said = await results(t, peer);
        // Not always s first and then b: the kernel may take some meanwhile.
        match(said, /^[sb]*b$/);
        await t.barrier();
        equal(hooks(t, peer, "drain"), 0, "drain ran while the client did not read");
        peer.resume();
        await readFlood(peer, said);
        await expectTexts(peer, "drained");
        await t.barrier();
        equal(hooks(t, peer, "drain"), 1);
        ok(((await t.hook(peer, "drain"))["buffered"] as number) < size, "drain ran too early");
      },
    },
    {
      id: "B3",
      statement: 'Each time `send` has returned "backpressure", `drain` runs again.',
      limits: saysNothing,
      async run(t) {
        const peer = await t.connect({ message: "run", drain: [["send", "drained"]] });
        for (const round of [1, 2, 3]) {
          peer.pause();
          await run(peer, ["flood", many, size]);
          const said = await results(t, peer, round);
          match(said, /^[sb]*b$/);
          peer.resume();
          await readFlood(peer, said);
          await expectTexts(peer, "drained");
          await t.done(peer, "drain", round);
        }
        await t.barrier();
        equal(hooks(t, peer, "drain"), 3);
      },
    },
    {
      id: "B4",
      statement: 'For a client that reads, small messages are "sent", and `drain` does not run.',
      async run(t) {
        const peer = await t.connect();
        for (let index = 0; index < 100; index++) {
          await peer.send(`${index}`);
          await expectTexts(peer, `${index}`);
        }
        await t.done(peer, "message", 100);
        ok(t.entries(peer).every((entry) => entry.did !== "echo" || entry["result"] === "sent"));
        equal(hooks(t, peer, "drain"), 0);
      },
    },
    {
      id: "B5",
      statement: "What was accepted while the client did not read arrives whole and in order when it reads: 12 MiB at once.",
      async run(t) {
        const peer = await t.connect({ message: "run" });
        peer.pause();
        await run(peer, ["flood", many, size]);
        const said = await results(t, peer);
        match(said, /^[sb]+$/);
        peer.resume();
        await readFlood(peer, said);
      },
    },
    {
      id: "B6",
      statement: "A client that alternately stops and reads gets everything that was accepted meanwhile, in order.",
      async run(t) {
        const peer = await t.connect({ message: "run" });
        const rounds = 12;
        const script = JSON.stringify([
          ["flood", 16, size],
          ["sleep", 1],
          ["send", "turn"],
        ]);
        await peer.sendAll(Array.from({ length: rounds }, () => script));
        await quietly(peer, async () => {
          for (let round = 0; round < rounds; round++) {
            peer.pause();
            const said = await results(t, peer, round + 1);
            match(said, /^[sb]+$/);
            peer.resume();
            await readFlood(peer, said);
            await expectTexts(peer, "turn");
          }
        });
      },
    },
    {
      id: "B7",
      statement: "Everything that was accepted arrives before our close, even if the client did not read when it was closed.",
      async run(t) {
        const peer = await t.connect({ message: "run" });
        peer.pause();
        await run(peer, ["flood", many, size], ["close", 4000, "full"]);
        const said = await results(t, peer);
        await t.did(peer, "close");
        peer.resume();
        await readFlood(peer, said);
        await expectClose(peer, 4000, "full");
        deepEqual(await t.closing(peer), { code: 4000, reason: "full", initiator: "server" });
      },
    },
    {
      id: "B8",
      statement: 'At `maxBuffered`, `send` returns "dropped" and closes with 1013 "Slow consumer". What was accepted before arrives first.',
      limits: saysNothing,
      async run(t) {
        const peer = await t.connect({ message: "run" });
        peer.pause();
        await run(peer, ["flood", 512, size]);
        const said = await results(t, peer);
        match(said, /^[sb]+dc+$/);
        peer.resume();
        await readFlood(peer, said);
        await expectClose(peer, 1013, "Slow consumer");
        deepEqual(await t.closing(peer), { code: 1013, reason: "Slow consumer", initiator: "server" });
        equal(hooks(t, peer, "drain"), 0, "drain ran on a closing connection");
      },
    },
    {
      id: "B9",
      statement:
        'With `slowConsumer: "drop"`, `send` returns "dropped" and the connection stays. What was accepted arrives, then what is sent later.',
      limits: saysNothing,
      async run(t) {
        const peer = await t.connect({ on: "dropping", message: "run", drain: [["send", "drained"]] });
        peer.pause();
        await run(peer, ["flood", 256, size], ["inspect"]);
        const said = await results(t, peer);
        match(said, /^[sb]+d+$/);
        ok(((await t.did(peer, "inspect"))["bufferedAmount"] as number) <= 256 * 1024 + 1024, "more than maxBuffered waits");
        peer.resume();
        await readFlood(peer, said);
        await expectTexts(peer, "drained");
        await run(peer, ["send", "after"]);
        await expectTexts(peer, "after");
      },
    },
    {
      id: "B10",
      statement: "A message larger than `maxBuffered` is sent if nothing waits for the client.",
      async run(t) {
        const peer = await t.connect({ on: "dropping", message: "run" });
        await run(peer, ["flood", 1, 2 * 1024 * 1024]);
        const said = await results(t, peer);
        match(said, /^[sb]$/);
        await readFlood(peer, said, 2 * 1024 * 1024);
      },
    },
    {
      id: "B11",
      statement: "A client that does not read does not delay other connections of its room.",
      async run(t) {
        const slow = await t.connect({ message: "run" });
        slow.pause();
        await run(slow, ["flood", many, size]);
        const said = await results(t, slow);
        const fast = await t.connect({ message: "run" });
        await run(fast, ["flood", 64, size], ["send", "end"]);
        await readFlood(fast, await results(t, fast));
        await expectTexts(fast, "end");
        slow.resume();
        await readFlood(slow, said);
      },
    },
    {
      id: "B12",
      statement: "`publish` skips a subscriber for which `maxBuffered` waits, and does not count it.",
      limits: { ...saysNothing, ...needsRooms },
      async run(t) {
        const slow = await t.connect({ on: "dropping", open: [["subscribe", "news"]], message: "run" });
        await t.done(slow, "open");
        const fast = await t.connect({ on: "dropping", open: [["subscribe", "news"]], message: "run" });
        await t.done(fast, "open");
        slow.pause();
        // All in one turn: a moment later the kernel may take a little more.
        await run(slow, ["flood", 256, size], ["roomPublish", "news", { letter: "x", times: size }]);
        const said = await results(t, slow);
        match(said, /d$/);
        equal((await t.did(slow, "roomPublish"))["result"], 1);
        await expectTexts(fast, "x".repeat(size));
        slow.resume();
        await readFlood(slow, said);
      },
    },
    {
      id: "B20",
      statement:
        "A slow consumer that a publish closes is absent after it: what the `presence` hook then publishes reaches everyone after the message.",
      limits: { ...saysNothing, ...needsRooms },
      async run(t) {
        const reader = {
          open: [
            ["subscribe", "news"],
            ["subscribe", "presence"],
          ],
        } as const;
        const before = await t.connect(reader);
        const slow = await t.connect({ open: [["subscribe", "news"]], message: [["present", "slow"]] });
        await slow.send("go");
        await expectDiff(before, "joined");
        const after = await t.connect(reader);
        const sender = await t.connect({ message: "run" });
        slow.pause();
        let taken = "";
        // More than `maxBuffered` and any kernel take.
        for (let number = 0; number < 32 && !taken.endsWith("d"); number++) {
          await run(sender, ["roomPublish", "news", { letter: "x", times: 1_000_000 + number }]);
          taken += (await t.did(sender, "roomPublish", number + 1))["result"] === 3 ? "s" : "d";
          for (const peer of [before, after]) {
            const event = await peer.next();
            equal(event.type === "text" && event.data.length, 1_000_000 + number);
            if (taken.endsWith("d")) await expectDiff(peer, "left");
          }
        }
        match(taken, /^s+d$/);
        deepEqual(await t.outside().presence(), []);
      },
    },
    {
      id: "B13",
      statement:
        "When more than `maxQueued` messages wait for a slow hook, the server stops reading from the client, and no message is lost.",
      limits: cannotPause,
      async run(t) {
        // Long enough for several to come meanwhile, also on a busy machine.
        const peer = await t.connect({ on: "tight", message: [["sleep", 10], ["echo"]] });
        const texts = numbers(150);
        await peer.sendAll(texts);
        await readAll(peer, texts);
      },
    },
    {
      id: "B14",
      statement: "The same holds over `maxBuffered` bytes: all of 8 MiB behind a slow hook is delivered, in order.",
      limits: cannotPause,
      async run(t) {
        const peer = await t.connect({
          on: "dropping",
          message: [
            ["sleep", 8],
            ["send", "had it"],
          ],
        });
        const texts = numbers(128).map((number) => number.padEnd(size, "."));
        await peer.sendAll(texts);
        await readAll(
          peer,
          texts.map(() => "had it"),
        );
        await t.done(peer, "message", texts.length);
        deepEqual(
          delivered(t, peer),
          texts.map((text) => text.slice(0, 100)),
        );
      },
    },
    {
      id: "B15",
      statement: "A client from which the server has stopped reading can still be closed, and its answer is read.",
      limits: cannotPause,
      async run(t) {
        const peer = await t.connect({
          on: "dropping",
          message: [
            ["sleep", 1000],
            ["close", 4000, "enough"],
          ],
        });
        await peer.sendAll(numbers(64).map((number) => number.padEnd(size, ".")));
        await expectClose(peer, 4000, "enough");
        deepEqual(await t.closing(peer), { code: 4000, reason: "enough", initiator: "server" });
        equal(hooks(t, peer, "message"), 1);
      },
    },
    {
      id: "B16",
      statement: "If a client closes while the server has stopped reading, its messages are delivered first, then its close.",
      limits: cannotPause,
      async run(t) {
        const peer = await t.connect({ on: "tight", message: [["sleep", 1]] });
        const texts = numbers(100);
        await peer.sendAll(texts);
        await peer.close(4001, "bye");
        deepEqual(await t.closing(peer), { code: 4001, reason: "bye", initiator: "client" });
        // The answer's reason is the runtime's own.
        equal(((await peer.next()) as { code?: number }).code, 4001);
        deepEqual(delivered(t, peer), texts);
      },
    },
    {
      id: "B17",
      statement: "No message is lost silently: a slow hook gets either everything that was sent, or the beginning of it and then 1013.",
      async run(t) {
        const peer = await t.connect({ on: "tight", message: [["sleep", 1]] });
        const texts = numbers(200);
        await peer.sendAll(texts);
        await t.until(
          "the last message, or a close",
          (entry) => entry.hook === "close" || (entry.hook === "message" && (entry["data"] as { text: string }).text === "199"),
        );
        const given = delivered(t, peer);
        deepEqual(given, texts.slice(0, given.length));
        if (given.length === texts.length) return;
        deepEqual(await t.closing(peer), { code: 1013, reason: "Too many messages queued", initiator: "server" });
      },
    },
    {
      id: "B18",
      statement:
        "Of 32 MiB behind a slow hook the server holds at most `maxBuffered` and the kernels' buffers. The rest stays with the client and arrives later.",
      limits: { memory: "P1", ...cannotPause },
      async run(t) {
        const peer = await t.connect({ on: "dropping", message: "run" });
        const count = 512;
        const other = await t.connect({ on: "dropping", message: "run" });
        await peer.send(JSON.stringify([["hold", t.tag]]));
        try {
          for (let sent = 0; sent < count; sent++) void peer.send("[]".padEnd(size));
          await t.hook(peer, "message");
          // 256 KiB for the hook and what sockets on both sides buffer (Linux: at most 4 and 6 MiB) have left the client; the rest can't have.
          const { socket } = peer.wire;
          const stuck = await standstill(() => socket.writableLength);
          if (stuck < 16 * 2 ** 20) throw new Error(`${stuck} bytes wait at the client, and then ${JSON.stringify(await peer.next())}`);
          equal(hooks(t, peer, "message"), 1);
        } finally {
          await run(other, ["release", t.tag]);
        }
        await t.done(peer, "message", 1 + count);
      },
    },
    {
      id: "B19",
      statement: 'A message of `highWaterMark` bytes is "sent", each time, if the client reads and nothing waits for it.',
      async run(t) {
        const peer = await t.connect({ message: "run", drain: [["send", "drained"]] });
        for (let round = 1; round <= 5; round++) {
          await run(peer, ["flood", 1, size]);
          equal(await results(t, peer, round), "s");
          await readFlood(peer, "s");
        }
        await t.barrier();
        equal(hooks(t, peer, "drain"), 0);
      },
    },
  ],
};

/** Has the handler run these steps. */
function run(peer: Peer, ...script: readonly (readonly unknown[])[]): Promise<void> {
  return peer.send(JSON.stringify(script));
}

/** What the nth flood's sends said: a letter for each. */
async function results(t: Context, peer: Peer, nth = 1): Promise<string> {
  return String((await t.did(peer, "flood", nth))["result"]);
}

/** Reads the messages of a flood that were accepted: these and no others, whole and in order. */
async function readFlood(peer: Peer, said: string, bytes = size): Promise<void> {
  await quietly(peer, async () => {
    for (const [index, letter] of [...said].entries()) {
      if (letter !== "s" && letter !== "b") continue;
      const event = await peer.next();
      if (event.type !== "binary") throw new Error(`${JSON.stringify(event)} instead of message ${index}`);
      const expected = Buffer.alloc(bytes, index);
      expected.writeUInt32BE(index);
      ok(event.data.equals(expected), `message ${event.data.readUInt32BE()} of ${event.data.length} bytes instead of ${index}`);
    }
  });
}

async function readAll(peer: Peer, texts: readonly string[]): Promise<void> {
  await quietly(peer, () => expectTexts(peer, ...texts));
}

/** Without an eviction after each event, of which there are hundreds: one after the last. */
async function quietly(peer: Peer, action: () => Promise<void>): Promise<void> {
  const { after } = peer;
  peer.after = async () => {};
  await action();
  peer.after = after;
  await after();
}

function hooks(t: Context, peer: Peer, hook: string): number {
  return t.entries(peer).filter((entry) => entry.hook === hook).length;
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

/** Waits until a number that falls does so no more. */
async function standstill(read: () => number): Promise<number> {
  for (let before = -1; ;) {
    const now = read();
    if (now === before) return now;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function expectDiff(peer: Peer, what: "joined" | "left"): Promise<void> {
  const event = await peer.next();
  ok(event.type === "text" && event.data.startsWith("{"), `no diff, but ${JSON.stringify(event).slice(0, 100)}`);
  deepEqual(
    (JSON.parse(event.data) as Record<string, { id: string }[]>)[what]?.map(({ id }) => id),
    ["slow"],
  );
}
