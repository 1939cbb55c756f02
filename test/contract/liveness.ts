/** How a client shows that it lives, and what becomes of one that does not. */
import { deepEqual, equal } from "node:assert/strict";
import { needsRooms, needsWire, type Chapter, type ConnectOptions, type Context } from "../support/case.ts";
import { expectTexts, type Peer } from "../support/peer.ts";
import { pingText, pongText } from "../../src/protocol/text-ping.ts";
import { Opcode } from "../wire/frames.ts";

export const liveness: Chapter = {
  letter: "A",
  title: "Liveness",
  cases: [
    {
      id: "A1",
      statement: "The text ping is answered with the text pong, after an eviction too, and is never delivered.",
      async run(t) {
        const peer = await t.connect();
        await peer.ping();
        await expectTexts(peer, pongText);
        await t.evict();
        await peer.ping();
        await expectTexts(peer, pongText);
        await peer.send("a message");
        await expectTexts(peer, "a message");
        await t.done(peer, "message");
        equal(t.entries(peer).filter(({ hook }) => hook === "message").length, 1);
      },
    },
    {
      id: "A2",
      statement: "The ping is answered at once: before earlier messages whose asynchronous hook still runs, and before `open` is done.",
      async run(t) {
        const peer = await t.connect({ message: [["sleep", 200], ["echo"]] });
        await peer.sendAll(["one", "two"]);
        await peer.ping();
        await expectTexts(peer, pongText, "one", "two");
        const opening = await t.connect({
          open: [
            ["sleep", 200],
            ["send", "opened"],
          ],
        });
        await opening.ping();
        deepEqual(new Set([await opening.next(), await opening.next()]), new Set([text(pongText), text("opened")]));
      },
    },
    {
      id: "A3",
      statement: "Only that exact text is a ping: its bytes in a binary message, an extra letter or another case are messages.",
      async run(t) {
        const peer = await t.connect();
        for (const message of [`${pingText} `, pingText.toUpperCase(), pongText, pingText.slice(0, -1)]) {
          await peer.send(message);
          await expectTexts(peer, message);
        }
        const bytes = new TextEncoder().encode(pingText);
        await peer.send(bytes);
        deepEqual(await peer.next(), { type: "binary", data: Buffer.from(bytes) });
      },
    },
    {
      id: "A4",
      statement: "With `heartbeat: false` the text ping is a message like any other.",
      async run(t) {
        const peer = await t.connect({ on: "mute" });
        await peer.send(pingText);
        await expectTexts(peer, pingText);
      },
    },
    {
      id: "A5",
      statement: "Each of 100 text pings in one segment is answered.",
      async run(t) {
        const peer = await t.connect();
        await peer.ping(100);
        await expectTexts(peer, ...Array.from({ length: 100 }, () => pongText));
      },
    },
    {
      id: "A6",
      statement: 'A client that has sent the text ping, and then nothing, is disconnected: the hook gets 1006, initiator "network", once.',
      async run(t) {
        const peer = await silent(t);
        deepEqual(await t.closing(peer), gone);
        await t.barrier("lively");
        equal(t.entries(peer).filter(({ hook }) => hook === "close").length, 1);
      },
    },
    {
      id: "A7",
      statement: "A client that does not answer the server's pings, and sends nothing else, is disconnected in the same way.",
      limits: { workers: "P27", durable: "P27", evicted: "P27", memory: "P27" },
      async run(t) {
        const peer = await t.connect({ on: "lively", answersPing: false });
        deepEqual(await t.closing(peer), gone);
      },
    },
    {
      id: "A14",
      statement:
        "A client that sent the text ping once and then only answers the server's pings is never disconnected: a page that the browser has frozen.",
      limits: { workers: "P46", durable: "P46", evicted: "P46", memory: "P46" },
      async run(t) {
        const frozen = await t.connect({ on: "lively" });
        await frozen.ping();
        // Longer than a client may be silent on any runtime.
        for (let count = 0; count < 17; count++) await pause();
        await stillThere(frozen);
      },
    },
    {
      id: "A8",
      statement: "A client that only listens, and answers pings where there are any, is never disconnected for its silence.",
      async run(t) {
        const listener = await t.connect({ on: "lively" });
        await outlives(t);
        await stillThere(listener);
      },
    },
    {
      id: "A9",
      statement: "A client that sends the text ping every `interval` is never disconnected, whatever else it leaves unanswered.",
      async run(t) {
        const peer = await t.connect({ on: "lively", answersPing: false });
        await peer.ping();
        await meanwhile(outlives(t), () => peer.ping());
        await stillThere(peer);
      },
    },
    {
      id: "A10",
      statement: "Messages count as signs of life: a client that pinged once and then sends messages instead is never disconnected.",
      async run(t) {
        const peer = await t.connect({ on: "lively", answersPing: false });
        await peer.ping();
        await meanwhile(outlives(t), () => peer.send("a message"));
        await stillThere(peer);
      },
    },
    {
      id: "A11",
      statement: "A client's own ping frames count as signs of life.",
      limits: { ...needsWire, deno: "P28", workers: "P28", durable: "P28", evicted: "P28" },
      async run(t) {
        const peer = await t.connect({ on: "lively", answersPing: false });
        await peer.ping();
        // Longer than a client may be silent on any runtime.
        for (let count = 0; count < 17; count++) {
          peer.wire.frame({ opcode: Opcode.ping });
          await pause();
        }
        await stillThere(peer);
      },
    },
    {
      id: "A12",
      statement: "With `heartbeat: false` nobody is disconnected for silence.",
      async run(t) {
        const peer = await t.connect({ on: "mute", answersPing: false });
        await peer.send(pingText);
        await outlives(t);
        await stillThere(peer);
      },
    },
    {
      id: "A13",
      statement: "A client that is disconnected for silence leaves its room: it is no longer counted or published to.",
      limits: needsRooms,
      async run(t) {
        const peer = await silent(t, { open: [["subscribe", "a"]] });
        await t.closing(peer);
        const other = await t.connect({ on: "lively", message: [["publish", "a", "hello"], ["peers"], ["echo"]] });
        await other.send("go");
        equal((await t.did(other, "publish"))["result"], 0);
        equal(((await t.did(other, "peers"))["result"] as string[]).length, 1);
      },
    },
  ],
};

const gone = { code: 1006, reason: "", initiator: "network" };

/** A client that shows once that it can ping, and then falls silent. */
async function silent(t: Context, options: ConnectOptions = {}): Promise<Peer> {
  const peer = await t.connect({ ...options, on: "lively", answersPing: false });
  await peer.ping();
  let event = await peer.next();
  // On a loaded machine the server may ask first.
  while (event.type === "ping") event = await peer.next();
  deepEqual(event, text(pongText));
  return peer;
}

/** As long as it takes to find a silent client that came later: who is still there then was not found silent. */
async function outlives(t: Context): Promise<void> {
  deepEqual(await t.closing(await silent(t)), gone);
}

async function meanwhile(until: Promise<void>, action: () => Promise<void>): Promise<void> {
  const done = until.then(() => true);
  // Where the action fails nobody waits for it any more.
  done.catch(() => {});
  do await action();
  while (!(await Promise.race([done, pause()])));
}

const pause = (): Promise<boolean> => new Promise((resolve) => setTimeout(resolve, 200, false));

/** It is not ended, and is served. What came before is read over. */
async function stillThere(peer: Peer): Promise<void> {
  await peer.send("still there");
  let event = await peer.next();
  while (event.type !== "end" && event.type !== "close" && !(event.type === "text" && event.data === "still there"))
    event = await peer.next();
  deepEqual(event, text("still there"));
}

function text(data: string): { type: "text"; data: string } {
  return { type: "text", data };
}
