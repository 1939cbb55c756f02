import { deepEqual, equal, ok } from "node:assert/strict";
import { needsRooms, needsWire, type Case, type Chapter, type Context } from "../support/case.ts";
import type { Client, Event } from "../support/client.ts";
import type { Summary } from "../support/handler.ts";
import { expectClose, expectTexts, type Peer } from "../support/peer.ts";
import type { Script } from "../support/script.ts";
import { Opcode, closePayload, encodeFrame, messageFrame } from "../wire/frames.ts";

/** The handler calls `close(code, reason)`, which must throw, name both what is wrong and what is right, and change nothing. */
function invalidClose(
  id: string,
  statement: string,
  threw: string,
  ...closes: readonly (readonly [code?: unknown, reason?: unknown])[]
): Case {
  return {
    id,
    statement,
    async run(t) {
      const peer = await t.connect({ message: "run" });
      for (const [index, close] of closes.entries()) {
        await peer.send(
          JSON.stringify([
            ["close", ...close],
            ["send", "still open"],
          ]),
        );
        await expectTexts(peer, "still open");
        const { threw: name, message } = await t.did(peer, "close", index + 1);
        equal(name, threw, `close(${JSON.stringify(close)})`);
        ok(/\d/.test(String(message)) || /string/.test(String(message)), String(message));
      }
    },
  };
}

/** Reads on to the close frame, and gives what came before it. */
async function untilClose(peer: Peer, code: number, reason: string): Promise<Event[]> {
  const before: Event[] = [];
  for (;;) {
    const event = await peer.next();
    if (event.type !== "text" && event.type !== "binary") {
      deepEqual(event, { type: "close", code, reason });
      return before;
    }
    before.push(event);
  }
}

/** Sends at this pace until the promise settles. */
async function whileSending<T>(peer: Peer, message: string, every: number, until: Promise<T>): Promise<T> {
  const timer = setInterval(() => void peer.send(message).catch(() => {}), every);
  try {
    return await until;
  } finally {
    clearInterval(timer);
  }
}

export const closing: Chapter = {
  letter: "C",
  title: "Closing",
  cases: [
    {
      id: "C1",
      statement: '`close(code, reason)` sends that close frame; after the client\'s answer the hook gets the same, initiator "server".',
      async run(t) {
        for (const [code, reason] of [
          [1000, ""],
          [1001, "away"],
          [3000, "library"],
          [4000, "é€😀"],
          [4999, "x".repeat(123)],
        ] as const) {
          const peer = await t.connect({ message: [["close", code, reason]] });
          await peer.send("go");
          await expectClose(peer, code, reason);
          deepEqual(await t.closing(peer), { code, reason, initiator: "server" });
        }
      },
    },
    {
      id: "C2",
      statement: "`close()` sends 1000 with an empty reason. Every code that may be sent is sent as it is.",
      async run(t) {
        const peer = await t.connect({ message: [["close"]] });
        await peer.send("go");
        await expectClose(peer, 1000);
        for (const code of [1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]) {
          const other = await t.connect({ open: [["close", code]] });
          await expectClose(other, code);
          deepEqual(await t.closing(other), { code, reason: "", initiator: "server" });
        }
      },
    },
    invalidClose(
      "C3",
      "`close` with a code that may not be sent throws a RangeError, and the connection stays open.",
      "RangeError",
      [0],
      [1],
      [999],
      [1004],
      [1005],
      [1006],
      [1015],
      [1016],
      [2000],
      [2999],
      [5000],
      [65_535],
      [65_536],
      [-1],
      [1000.5],
      ["1000"],
    ),
    invalidClose(
      "C4",
      "`close` with a reason over 123 bytes of UTF-8 throws a RangeError, and the connection stays open.",
      "RangeError",
      [1000, "x".repeat(124)],
      [1000, "é".repeat(62)],
      [4000, "😀".repeat(31)],
    ),
    {
      id: "C5",
      statement: "A reason of exactly 123 bytes arrives whole, in characters of one, two, three and four bytes.",
      async run(t) {
        for (const reason of ["x".repeat(123), "é".repeat(61) + "x", "€".repeat(41), "😀".repeat(30) + "abc"]) {
          const peer = await t.connect({ open: [["close", 4000, reason]] });
          await expectClose(peer, 4000, reason);
        }
      },
    },
    {
      id: "C6",
      statement: 'The client\'s close is answered with its code; the hook gets its code and reason, initiator "client", and TCP ends.',
      async run(t) {
        for (const [code, reason] of [
          [1000, ""],
          [1001, "leaving"],
          [3000, ""],
          [4001, "é€😀"],
          [4999, "x".repeat(123)],
        ] as const) {
          const peer = await t.connect();
          await peer.close(code, reason);
          const answer = await peer.next();
          ok(answer.type === "close" && answer.code === code, JSON.stringify(answer));
          equal((await peer.next()).type, "end");
          deepEqual(await t.closing(peer), { code, reason, initiator: "client" });
        }
      },
    },
    {
      id: "C7",
      statement: "A close frame without a code is answered, and the hook gets 1005.",
      async run(t) {
        const peer = await t.connect();
        await peer.close();
        const answer = await peer.next();
        ok(answer.type === "close" && (answer.code === 1005 || answer.code === 1000), JSON.stringify(answer));
        equal((await peer.next()).type, "end");
        deepEqual(await t.closing(peer), { code: 1005, reason: "", initiator: "client" });
      },
    },
    {
      id: "C8",
      statement: "Everything sent before a close arrives before it.",
      async run(t) {
        const peer = await t.connect({
          message: [
            ["repeat", 100, [["send", "x"]]],
            ["send", { fill: 7, size: 300_000 }],
            ["close", 4000, "done"],
          ],
        });
        await peer.send("go");
        await expectTexts(peer, ...Array.from({ length: 100 }, () => "x"));
        deepEqual(await peer.next(), { type: "binary", data: Buffer.alloc(300_000, 7) });
        await expectClose(peer, 4000, "done");
      },
    },
    {
      id: "C34",
      statement: "This holds for a client that goes on sending: messages in the same segment, and then one every 5 ms.",
      async run(t) {
        for (let round = 0; round < 5; round++) {
          const peer = await t.connect({
            message: [
              ["repeat", 100, [["send", "x"]]],
              ["send", { fill: 7, size: 300_000 }],
              ["close", 4000, "done"],
            ],
          });
          await peer.sendAll(Array.from({ length: 200 }, () => "go"));
          const before = await whileSending(peer, "more", 5, untilClose(peer, 4000, "done"));
          deepEqual(
            before.map(({ type }) => type),
            [...Array.from({ length: 100 }, () => "text"), "binary"],
          );
          deepEqual(await t.closing(peer), { code: 4000, reason: "done", initiator: "server" });
        }
      },
    },
    {
      id: "C35",
      statement: "A client that sends steadily, 60 or 200 messages a second, reads the code of our close.",
      async run(t) {
        for (const every of [16, 5]) {
          const steady = Array.from({ length: 6 }, async () => {
            const peer = await t.connect({ message: "run" });
            // Nothing is ever idle here: an eviction would wait for it.
            peer.after = async () => {};
            const echoed = async (): Promise<void> => {
              await expectTexts(peer, "x", "x", "x", "x", "x");
              await peer.send('[["close", 4000, "kicked"]]');
              await untilClose(peer, 4000, "kicked");
            };
            await whileSending(peer, '[["send", "x"]]', every, echoed());
            deepEqual(await t.closing(peer), { code: 4000, reason: "kicked", initiator: "server" });
          });
          await Promise.all(steady);
        }
      },
    },
    {
      id: "C9",
      statement: "No message is delivered after our own close, however many had been sent before the client saw it.",
      async run(t) {
        const peer = await t.connect({ message: [["close", 4000]] });
        await peer.sendAll(Array.from({ length: 200 }, (_, index) => String(index)));
        await expectClose(peer, 4000);
        deepEqual(await t.closing(peer), { code: 4000, reason: "", initiator: "server" });
        await t.barrier();
        equal(t.entries(peer).filter((entry) => entry.hook === "message").length, 1);
      },
    },
    {
      id: "C10",
      statement: "Messages that wait for an asynchronous hook are discarded by `close`.",
      async run(t) {
        const peer = await t.connect({
          message: [
            ["sleep", 50],
            ["close", 4000],
          ],
        });
        await peer.sendAll(["one", "two", "three"]);
        await expectClose(peer, 4000);
        await t.closing(peer);
        equal(t.entries(peer).filter((entry) => entry.hook === "message").length, 1);
      },
    },
    {
      id: "C11",
      statement: "The second `close` does nothing, in the same hook or a later one.",
      async run(t) {
        const peer = await t.connect({
          message: [
            ["close", 4000, "first"],
            ["close", 4001, "second"],
          ],
          close: [["close", 4002, "third"]],
        });
        await peer.send("go");
        await expectClose(peer, 4000, "first");
        deepEqual(await t.closing(peer), { code: 4000, reason: "first", initiator: "server" });
      },
    },
    {
      id: "C12",
      statement: "`close` inside `open` closes: no message is delivered, and the close hook does not run inside `open`.",
      async run(t) {
        for (const open of [
          [["close", 4000, "full"]],
          [
            ["sleep", 30],
            ["close", 4000, "full"],
          ],
        ] as Script[]) {
          const peer = await t.connect({ open });
          await peer.send("lost").catch(() => {});
          await expectClose(peer, 4000, "full");
          deepEqual(await t.closing(peer), { code: 4000, reason: "full", initiator: "server" });
          equal(
            t.entries(peer).some((entry) => entry.hook === "message"),
            false,
          );
        }
      },
    },
    {
      id: "C13",
      statement: "`close` inside `close`, and after the client's close, does nothing.",
      async run(t) {
        const peer = await t.connect({
          close: [
            ["close", 4000],
            ["send", "late"],
          ],
        });
        await peer.close(1000);
        const answer = await peer.next();
        ok(answer.type === "close" && answer.code === 1000, JSON.stringify(answer));
        deepEqual((await t.did(peer, "send"))["result"], "closed");
        deepEqual(await t.closing(peer), { code: 1000, reason: "", initiator: "client" });
      },
    },
    {
      id: "C14",
      statement: "Whatever the client answers to our close, the hook gets our code and reason.",
      limits: needsWire,
      async run(t) {
        for (const payload of [closePayload(1001, "other"), closePayload(), closePayload(4000, "ours")]) {
          const peer = await t.connect({ message: [["close", 4000, "ours"]], answersClose: false });
          const { wire } = peer;
          await peer.send("go");
          await expectClose(peer, 4000, "ours");
          wire.frame({ opcode: Opcode.close, payload });
          deepEqual(await t.closing(peer), { code: 4000, reason: "ours", initiator: "server" });
        }
      },
    },
    {
      id: "C15",
      statement: "A client that never answers our close is disconnected after `closeTimeout`; the hook gets our code and reason.",
      async run(t) {
        const peer = await t.connect({ on: "tight", message: [["close", 4000, "ours"]], answersClose: false });
        await peer.send("go");
        if (t.column !== "memory") await expectClose(peer, 4000, "ours");
        deepEqual(await t.closing(peer), { code: 4000, reason: "ours", initiator: "server" });
      },
    },
    {
      id: "C25",
      statement:
        "A client that answers our close but never ends TCP is disconnected after `closeTimeout`; the hook gets our code and reason.",
      limits: needsWire,
      async run(t) {
        const peer = await t.connect({ on: "tight", message: [["close", 4000, "ours"]] });
        peer.wire.answersEnd = false;
        await peer.send("go");
        await expectClose(peer, 4000, "ours");
        deepEqual(await t.closing(peer), { code: 4000, reason: "ours", initiator: "server" });
      },
    },
    {
      id: "C16",
      statement: "When two closes cross, the connection ends, and the hook runs once, with one of the two.",
      limits: needsWire,
      async run(t) {
        for (let round = 0; round < 10; round++) {
          const peer = await t.connect({ message: [["close", 4000, "server"]], answersClose: false });
          peer.wire.write(
            Buffer.concat([messageFrame("go"), encodeFrame({ opcode: Opcode.close, payload: closePayload(4001, "client") })]),
          );
          equal((await peer.next()).type, "close");
          const { code, reason, initiator } = await t.closing(peer);
          ok(
            (code === 4000 && reason === "server" && initiator === "server") ||
              (code === 4001 && reason === "client" && initiator === "client"),
            `${code} ${reason} ${initiator}`,
          );
        }
      },
    },
    {
      id: "C17",
      statement: 'After a TCP reset the hook gets 1006 with an empty reason, initiator "network".',
      async run(t) {
        const peer = await t.connect();
        await peer.send("hello");
        await expectTexts(peer, "hello");
        await peer.lose();
        deepEqual(await t.closing(peer), { code: 1006, reason: "", initiator: "network" });
      },
    },
    {
      id: "C18",
      statement: 'After FIN without a close frame the hook gets 1006 with an empty reason, initiator "network".',
      limits: needsWire,
      async run(t) {
        const peer = await t.connect();
        peer.wire.finish();
        deepEqual(await t.closing(peer), { code: 1006, reason: "", initiator: "network" });
      },
    },
    {
      id: "C19",
      statement: "A frame that is cut in the middle by FIN or reset is not delivered, and the hook gets 1006.",
      limits: needsWire,
      async run(t) {
        for (const how of ["finish", "reset"] as const) {
          const peer = await t.connect();
          peer.wire.write(encodeFrame({ opcode: Opcode.text, payload: "half of it" }).subarray(0, 9));
          peer.wire[how]();
          deepEqual(await t.closing(peer), { code: 1006, reason: "", initiator: "network" });
          equal(
            t.entries(peer).some((entry) => entry.hook === "message"),
            false,
          );
        }
      },
    },
    {
      id: "C20",
      statement: "Messages that came before a reset, or before the client's close, are delivered before the close hook.",
      async run(t) {
        const peer = await t.connect({ message: [["sleep", 5]] });
        await peer.sendAll(["one", "two", "three"]);
        await peer.close(4000);
        deepEqual(await t.closing(peer), { code: 4000, reason: "", initiator: "client" });
        equal(t.entries(peer).filter((entry) => entry.hook === "message").length, 3);
      },
    },
    {
      id: "C21",
      statement:
        '`terminate()` ends the connection without a close frame. The hook gets 1006, initiator "server", and no message comes after it.',
      limits: { deno: "P8", durable: "P8", evicted: "P8" },
      async run(t) {
        const peer = await t.connect({ message: [["terminate"]] });
        // One alone: a second would wait at Deno's server, which then resets TCP, for the wrong reason.
        await peer.send("one");
        deepEqual(await t.closing(peer), { code: 1006, reason: "", initiator: "server" });
        equal((await peer.next()).type, "end");
        equal(t.entries(peer).filter((entry) => entry.hook === "message").length, 1);
      },
    },
    {
      id: "C22",
      statement: 'After `terminate()` the close hook runs once, with 1006 and initiator "server", and nothing more is sent or delivered.',
      async run(t) {
        const peer = await t.connect({ message: [["terminate"], ["send", "late"], ["terminate"], ["close"]] });
        await peer.sendAll(["one", "two", "three"]);
        deepEqual(await t.closing(peer), { code: 1006, reason: "", initiator: "server" });
        equal((await t.did(peer, "send"))["result"], "closed");
        await t.barrier();
        equal(t.entries(peer).filter((entry) => entry.hook === "message").length, 1);
      },
    },
    {
      id: "C28",
      statement: "An asynchronous close hook runs to its end after `terminate()`, in `open` and in `message`.",
      async run(t) {
        for (const hooks of [{ message: [["terminate"]] }, { open: [["terminate"]] }] as const) {
          const peer = await t.connect({ ...hooks, close: [["sleep", 50]] });
          if ("message" in hooks) await peer.send("one");
          deepEqual(await t.closing(peer), { code: 1006, reason: "", initiator: "server" });
          await t.done(peer, "close");
        }
      },
    },
    {
      id: "C23",
      statement:
        "A malformed close frame (one byte; a code that may not be sent; a reason that is not UTF-8) ends only its own connection.",
      limits: needsWire,
      async run(t) {
        const payloads = [
          Buffer.from([3]),
          closePayload(999),
          closePayload(1005),
          closePayload(1006),
          closePayload(5000),
          Buffer.concat([closePayload(1000), Buffer.from([0xff, 0xfe])]),
        ];
        for (const payload of payloads) {
          const peer = await t.connect({ answersClose: false });
          peer.wire.frame({ opcode: Opcode.close, payload });
          await t.closing(peer);
        }
        await t.barrier();
      },
    },
    {
      id: "C24",
      statement: 'The phase is "open" until a close, "closing" after our own, and "closed" in the close hook.',
      async run(t) {
        const peer = await t.connect({ message: [["inspect"], ["close", 4000], ["inspect"]], close: [["inspect"]] });
        await peer.send("go");
        await expectClose(peer, 4000);
        await t.closing(peer);
        await t.done(peer, "close");
        deepEqual(
          t
            .entries(peer)
            .filter(({ did }) => did === "inspect")
            .map((entry) => entry["phase"]),
          ["open", "closing", "closed"],
        );
      },
    },
    {
      id: "C26",
      statement: "After our close and the client's answer, TCP ends after `closeTimeout` at the latest.",
      async run(t) {
        const peer = await t.connect({ on: "tight", message: [["close", 4000]] });
        await peer.send("go");
        await expectClose(peer, 4000);
        deepEqual(await peer.next(), { type: "end", how: "fin" });
      },
    },
    {
      id: "C36",
      statement:
        "A client that stops in the middle of its TLS handshake, or sends it slowly, loses its TCP connection after `upgradeTimeout`.",
      limits: { ...needsWire, attached: "P26", hono: "P26", bun: "P26", deno: "P26", workers: "P3", durable: "P3", evicted: "P3" },
      async run(t) {
        for (const drips of [false, true]) {
          const client = await t.dial("tightTls", false);
          // The head of a record with a ClientHello of 512 bytes.
          client.write(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]));
          const dripping = setInterval(() => drips && client.write(Buffer.alloc(1)), 50);
          try {
            equal((await client.next()).type, "end");
          } finally {
            clearInterval(dripping);
          }
        }
        await t.barrier();
      },
    },
    {
      id: "C40",
      statement: "A client that never answers our close loses its TCP connection after `closeTimeout` at the latest.",
      limits: { ...needsWire, deno: "P8", durable: "P8", evicted: "P8" },
      async run(t) {
        const peer = await t.connect({ on: "tight", message: [["close", 4000]] });
        peer.wire.answersClose = false;
        await peer.send("go");
        await expectClose(peer, 4000);
        equal((await peer.next()).type, "end");
      },
    },
    {
      id: "C41",
      statement: "Until then the server waits for the client's answer: TCP ends after the client's close frame, not after ours.",
      limits: { ...needsWire, bun: "P49" },
      async run(t) {
        const peer = await t.connect({ message: [["echo"], ["close", 4000]] });
        peer.wire.answersClose = false;
        await peer.send("go");
        await expectTexts(peer, "go");
        await expectClose(peer, 4000);
        // As long as an answer takes that comes from far away.
        await new Promise((resolve) => setTimeout(resolve, 500));
        deepEqual(peer.wire.ended, undefined);
        await peer.close(4000);
        equal((await peer.next()).type, "end");
      },
    },
    {
      id: "C42",
      statement: "FIN without a close frame is answered by FIN, without a close frame that the client did not ask for.",
      limits: { ...needsWire, durable: "P48", evicted: "P48" },
      async run(t) {
        const peer = await t.connect();
        await peer.send("hello");
        await expectTexts(peer, "hello");
        peer.wire.finish();
        deepEqual((await peer.next()).type, "end");
      },
    },
    {
      id: "C27",
      statement: "After our close and the client's answer, TCP also ends for a client that has never sent a message.",
      limits: { durable: "P23" },
      async run(t) {
        const peer = await t.connect({ on: "tight", open: [["close", 4000]] });
        await expectClose(peer, 4000);
        equal((await peer.next()).type, "end");
      },
    },
    {
      id: "C29",
      statement:
        "The close hook runs as soon as the client's close frame is read, and the answer is sent, even if the client keeps TCP open.",
      limits: needsWire,
      async run(t) {
        for (const reason of ["", "é€😀"]) {
          const peer = await t.connect();
          peer.wire.answersEnd = false;
          await peer.close(4001, reason);
          const answer = await peer.next();
          ok(answer.type === "close" && answer.code === 4001, JSON.stringify(answer));
          deepEqual(await t.closing(peer), { code: 4001, reason, initiator: "client" });
        }
      },
    },
    {
      id: "C30",
      statement: "From then on the client is neither in its room nor present, even if it keeps TCP open.",
      limits: { ...needsWire, ...needsRooms },
      async run(t) {
        const stays = await t.connect({ open: [["present", "stays"]] });
        const leaves = await t.connect({ open: [["present", "leaves"]] });
        await t.did(leaves, "present");
        equal(await t.outside().count(), 2);
        leaves.wire.answersEnd = false;
        await leaves.close(4001);
        equal((await leaves.next()).type, "close");
        await t.closing(leaves);
        equal(await t.outside().count(), 1);
        deepEqual(
          (await t.outside().presence()).map(({ id }) => id),
          ["stays"],
        );
        equal(await t.outside().broadcast("still here"), 1);
        await expectTexts(stays, "still here");
      },
    },
    {
      id: "C31",
      statement: "A client that keeps TCP open after the close frames is cut off, whoever closed first.",
      limits: needsWire,
      async run(t) {
        const first = await t.connect({ on: "tight" });
        const second = await t.connect({ on: "tight", message: [["close", 4000]] });
        await first.close(4001);
        await second.send("go");
        for (const peer of [first, second]) {
          peer.wire.answersEnd = false;
          equal((await peer.next()).type, "close");
          await cutOff(peer.wire);
        }
      },
    },
    {
      id: "C32",
      statement: "Messages that came before the client's close frame, in the same read, are delivered in order before the close hook.",
      limits: needsWire,
      async run(t) {
        for (const message of [[["sleep", 5]], []] as Script[]) {
          const peer = await t.connect({ message });
          peer.wire.answersEnd = false;
          const sent = Array.from({ length: 20 }, (_, index) => String(index));
          peer.wire.write(Buffer.concat([...sent.map(messageFrame), encodeFrame({ opcode: Opcode.close, payload: closePayload(4001) })]));
          peer.sent += sent.length;
          deepEqual(await t.closing(peer), { code: 4001, reason: "", initiator: "client" });
          deepEqual(received(t, peer), sent);
        }
      },
    },
    {
      id: "C33",
      statement: "So are messages that waited because the client was paused; its close frame is read after them.",
      limits: { ...needsWire, deno: "P21", workers: "P21", durable: "P21", evicted: "P21" },
      async run(t) {
        const peer = await t.connect({ on: "tight", message: [["sleep", 2]] });
        peer.wire.answersEnd = false;
        const sent = Array.from({ length: 200 }, (_, index) => `${index} ${"x".repeat(900)}`);
        for (const data of sent) await peer.send(data);
        await peer.close(4001, "done");
        deepEqual(await t.closing(peer), { code: 4001, reason: "done", initiator: "client" });
        deepEqual(
          received(t, peer),
          sent.map((data) => data.slice(0, 100)),
        );
      },
    },
  ],
};

/** The messages that the hook was given, in order. */
function received(t: Context, peer: Peer): unknown[] {
  return t.entries(peer).flatMap(({ hook, data }) => (hook === "message" ? [(data as Summary).text] : []));
}

/** Waits until the server has closed the socket altogether: a write to it then ends in a reset. */
async function cutOff(client: Client): Promise<void> {
  const until = Date.now() + client.wait;
  while (!client.socket.destroyed) {
    if (Date.now() > until) throw new Error(`TCP is still open after ${client.wait} ms`);
    client.frame({ opcode: Opcode.ping });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
