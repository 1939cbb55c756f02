import { deepEqual, equal } from "node:assert/strict";
import { needsRooms, type Chapter, type Context, type Peer } from "../support/case.ts";
import { expectClose, expectTexts } from "../support/peer.ts";
import type { RoomStats } from "edgewire";

/**
 * What is counted is forgotten with the memory of an object, but for what is true now; so each case looks within the event that it
 * is about.
 */
export const stats: Chapter = {
  letter: "N",
  title: "Numbers",
  cases: [
    {
      id: "N1",
      statement: "`room.stats()` counts open connections, messages in both directions and their bytes, each receiver of a publish once.",
      limits: needsRooms,
      async run(t) {
        const [one, two] = [await t.connect({ open: [["subscribe", "a"]] }), await t.connect({ open: [["subscribe", "a"]] })];
        const peer = await t.connect({ message: "run" });
        for (const each of [one, two, peer]) await t.done(each, "open");
        const script = JSON.stringify([["stats"], ["send", "abc"], ["send", { bytes: [1, 2] }], ["publish", "a", "defg"], ["stats"]]);
        await peer.send(script);
        const [before, after] = [await read(t, peer, 1), await read(t, peer, 2)];
        deepEqual(before.received, { messages: 1, bytes: script.length });
        deepEqual(before.sent, { messages: 0, bytes: 0 });
        deepEqual(after.sent, { messages: 4, bytes: 3 + 2 + 4 + 4 });
        equal(after.open, 3);
        deepEqual([after.dropped, after.queued, after.hookErrors], [{ received: 0, sent: 0 }, 0, 0]);
        await expectTexts(one, "defg");
      },
    },
    {
      id: "N2",
      statement: "Closed connections are counted by their close code, before the close hook, whoever closed.",
      limits: needsRooms,
      async run(t) {
        const stays = await t.connect();
        const [leaves, sent, lost] = [
          await t.connect({ close: [["stats"]] }),
          await t.connect({ message: [["close", 4002]], close: [["stats"]] }),
          await t.connect({ close: [["stats"]] }),
        ];
        await leaves.close(4001);
        equal((await read(t, leaves)).closed[4001], 1);
        await sent.send("close me");
        await expectClose(sent, 4002);
        equal((await read(t, sent)).closed[4002], 1);
        await lost.lose();
        const last = await read(t, lost);
        equal(last.closed[1006], 1);
        equal(last.open, 1);
        await stays.send("still here");
        await expectTexts(stays, "still here");
      },
    },
    {
      id: "N3",
      statement: "A hook that fails is counted before `error` is called.",
      limits: needsRooms,
      async run(t) {
        const peer = await t.connect({ message: [["throw", "secret"]], error: [["stats"]] });
        await peer.send("go");
        equal((await read(t, peer)).hookErrors, 1);
        await t.closing(peer);
      },
    },
    {
      id: "N4",
      statement: "`room.stats()` gives the same from outside, and its current values are also right after an eviction.",
      limits: needsRooms,
      async run(t) {
        const peers = [await t.connect(), await t.connect()];
        for (const peer of peers) await t.done(peer, "open");
        await t.evict();
        const now = await t.outside().stats();
        deepEqual([now.open, now.buffered, now.queued], [2, 0, 0]);
        deepEqual((await t.outside("nobody is here").stats()).open, 0);
      },
    },
    {
      id: "N5",
      statement: "Messages that wait for a slow hook are counted while they wait.",
      limits: needsRooms,
      async run(t) {
        const slow = await t.connect({ message: [["sleep", 300], ["stats"]] });
        await slow.sendAll(["one", "two", "three"]);
        equal((await read(t, slow)).queued, 2);
        await t.done(slow, "message", 3);
        equal((await read(t, slow, 3)).queued, 0);
      },
    },
  ],
};

async function read(t: Context, peer: Peer, nth = 1): Promise<RoomStats> {
  return (await t.did(peer, "stats", nth))["result"] as RoomStats;
}
