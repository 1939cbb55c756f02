import { deepEqual, equal, match, ok } from "node:assert/strict";
import { needsWire, type Chapter, type Context } from "../support/case.ts";
import { Opcode, encodeFrame, messageFrame } from "../wire/frames.ts";
import { expectTexts, type Peer } from "../support/peer.ts";

export const order: Chapter = {
  letter: "Q",
  title: "Order",
  cases: [
    {
      id: "Q12",
      statement:
        "`connection.signal` aborts when the connection closes or its client has gone: a hook that waits for it ends without an error, then `close` runs.",
      async run(t) {
        const ends: readonly ((peer: Peer) => Promise<void>)[] = [(peer) => peer.close(4001, "bye"), (peer) => peer.lose()];
        for (const end of ends) {
          const peer = await t.connect({ message: [["untilAborted"]] });
          await peer.send("wait");
          await t.hook(peer, "message");
          await end(peer);
          await t.done(peer, "close");
          equal((await t.did(peer, "untilAborted"))["phase"], "closed");
          equal(t.entries(peer).filter((entry) => entry.hook === "error").length, 0);
        }
        const peer = await t.connect({ message: [["close", 4002], ["untilAborted"]] });
        await peer.send("wait");
        match((await t.did(peer, "untilAborted"))["phase"] as string, /^clos(ing|ed)$/);
        deepEqual(await peer.next(), { type: "close", code: 4002, reason: "" });
      },
    },
    {
      id: "Q1",
      statement: "1 000 messages in one write are delivered and answered in order.",
      async run(t) {
        const peer = await t.connect();
        const texts = numbers(1000);
        await peer.sendAll(texts);
        deepEqual(await readTexts(peer, 1000), texts);
        await t.done(peer, "message", 1000);
        deepEqual(delivered(t, peer), texts);
      },
    },
    {
      id: "Q2",
      statement: "Frames in the same TCP segment as the request are delivered, in order, after `open`.",
      limits: needsWire,
      async run(t) {
        const early = Buffer.concat(["one", "two", "three"].map(messageFrame));
        const peer = await t.connect({ early, open: [["send", "opened"]] });
        await expectTexts(peer, "opened", "one", "two", "three");
      },
    },
    {
      id: "Q3",
      statement: "No message is delivered before an asynchronous `open` is done; then messages come in order.",
      async run(t) {
        const peer = await t.connect({
          open: [
            ["sleep", 100],
            ["send", "opened"],
          ],
        });
        await peer.sendAll(["one", "two"]);
        await expectTexts(peer, "opened", "one", "two");
      },
    },
    {
      id: "Q4",
      statement: "Frames in the same segment as the request wait for an asynchronous `open`.",
      limits: needsWire,
      async run(t) {
        const early = Buffer.concat([messageFrame("one"), messageFrame(new Uint8Array([2]))]);
        const peer = await t.connect({
          early,
          open: [
            ["sleep", 100],
            ["send", "opened"],
          ],
        });
        await expectTexts(peer, "opened", "one");
        deepEqual(await peer.next(), { type: "binary", data: Buffer.from([2]) });
      },
    },
    {
      id: "Q5",
      statement: "Frames in the same segment as the request wait for an asynchronous `upgrade`.",
      limits: { ...needsWire, bun: "P4" },
      async run(t) {
        const early = Buffer.concat(["one", "two"].map(messageFrame));
        const peer = await t.connect({
          early,
          upgrade: [
            ["sleep", 100],
            ["accept", {}],
          ],
        });
        await expectTexts(peer, "one", "two");
      },
    },
    {
      id: "Q6",
      statement: "A message waits for the asynchronous hook of the message before it, however fast its own hook is.",
      async run(t) {
        const peer = await t.connect({ message: "run" });
        await peer.sendAll([
          JSON.stringify([
            ["sleep", 100],
            ["send", "slow"],
          ]),
          JSON.stringify([["send", "fast"]]),
          JSON.stringify([
            ["sleep", 5],
            ["send", "again"],
          ]),
        ]);
        await expectTexts(peer, "slow", "fast", "again");
      },
    },
    {
      id: "Q7",
      statement: "200 messages to an asynchronous hook run one at a time, in order.",
      async run(t) {
        const peer = await t.connect({ message: [["sleep", 1], ["echo"]] });
        const texts = numbers(200);
        await peer.sendAll(texts);
        deepEqual(await readTexts(peer, 200), texts);
        await t.done(peer, "message", 200);
        deepEqual(delivered(t, peer), texts);
      },
    },
    {
      id: "Q8",
      statement: "What one hook sends arrives in the order of the calls, text and binary mixed.",
      async run(t) {
        const peer = await t.connect({
          message: [
            [
              "repeat",
              50,
              [
                ["send", "t"],
                ["send", { bytes: [1] }],
              ],
            ],
          ],
        });
        await peer.send("go");
        for (let index = 0; index < 50; index++) {
          await expectTexts(peer, "t");
          deepEqual(await peer.next(), { type: "binary", data: Buffer.from([1]) });
        }
      },
    },
    {
      id: "Q9",
      statement: "A slow hook of one connection does not delay other connections.",
      async run(t) {
        const slow = await t.connect({
          message: [
            ["sleep", 400],
            ["send", "slow"],
          ],
        });
        const fast = await t.connect({ room: "other" });
        await slow.send("go");
        await t.hook(slow, "message");
        await fast.send("ping");
        await expectTexts(fast, "ping");
        ok(!t.entries(slow).some((entry) => entry.done === "message"), "the slow hook was done first");
        await expectTexts(slow, "slow");
      },
    },
    {
      id: "Q10",
      statement: "Ten pings in one segment get ten pongs, in order.",
      limits: { ...needsWire, workers: "P5", durable: "P5", evicted: "P5" },
      async run(t) {
        const peer = await t.connect();
        peer.wire.write(Buffer.concat(numbers(10).map((payload) => encodeFrame({ opcode: Opcode.ping, payload }))));
        await peer.send("last");
        for (const payload of numbers(10)) deepEqual(await peer.next(), { type: "pong", data: Buffer.from(payload) });
        await expectTexts(peer, "last");
      },
    },
    {
      id: "Q11",
      statement: "Every hook of a connection gets the same Connection object; after hibernation a new one, with the same id.",
      async run(t) {
        const peer = await t.connect();
        await peer.sendAll(["one", "two"]);
        await expectTexts(peer, "one", "two");
        await peer.close(1000);
        await t.done(peer, "close");
        const entries = t.entries(peer).filter((entry) => entry.id !== undefined && entry.hook !== undefined);
        equal(new Set(entries.map((entry) => entry.id)).size, 1);
        if (t.column !== "evicted")
          deepEqual(
            entries.map((entry) => entry["same"]),
            [true, true, true, true],
          );
      },
    },
  ],
};

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}

async function readTexts(peer: Peer, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const event = await peer.next();
    if (event.type !== "text") throw new Error(`${JSON.stringify(event)} after ${texts.length} texts`);
    texts.push(event.data);
  }
  return texts;
}

function delivered(t: Context, peer: Peer): unknown[] {
  return t
    .entries(peer)
    .filter((entry) => entry.hook === "message")
    .map((entry) => (entry["data"] as { text: string }).text);
}
