/** How a client shows that it lives, and what becomes of one that does not. */
import { deepEqual, equal } from "node:assert/strict";
import type { Chapter } from "../case.ts";
import { expectTexts } from "../peer.ts";
import { pingText, pongText } from "../../src/wire.ts";

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
      statement:
        "It is answered at once: before messages that came first and whose asynchronous hook still runs, and before `open` is done.",
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
      statement: "Only the very text is a ping: its bytes in a binary message, a letter more or another case are messages.",
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
      statement: "Each of 1 000 text pings in one segment is answered.",
      async run(t) {
        const peer = await t.connect();
        await peer.ping(1000);
        await expectTexts(peer, ...Array.from({ length: 1000 }, () => pongText));
      },
    },
  ],
};

function text(data: string): { type: "text"; data: string } {
  return { type: "text", data };
}
