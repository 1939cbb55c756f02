import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Case, Chapter, ConnectOptions, Peer } from "../support/case.ts";
import { expectClose, expectTexts } from "../support/peer.ts";
import type { Step } from "../support/script.ts";

/** A hook fails in each way: `error` is told, the client gets 1011 without the error's text, and others live on. */
function failing(
  id: string,
  statement: string,
  hook: string,
  options: (fail: Step) => ConnectOptions,
  trigger: (peer: Peer) => Promise<void>,
): Case {
  return {
    id,
    statement,
    async run(t) {
      const other = await t.connect({ room: "other" });
      for (const step of [
        ["throw", "secret"],
        ["reject", "secret"],
      ] as const) {
        const peer = await t.connect(options(step));
        await trigger(peer);
        if (hook !== "close") await expectClose(peer, 1011, "Internal error");
        const told = await t.hook(peer, "error");
        equal(told["of"], hook);
        equal(told["error"], "Error: secret");
        const closed = await t.closing(peer);
        if (hook !== "close") deepEqual(closed, { code: 1011, reason: "Internal error", initiator: "server" });
      }
      await other.send("alive");
      await expectTexts(other, "alive");
    },
  };
}

const nothing = async (): Promise<void> => {};
const go = (peer: Peer): Promise<void> => peer.send("go");

export const failures: Chapter = {
  letter: "F",
  title: "Failing hooks",
  cases: [
    failing(
      "F1",
      'If `open` fails, `error` is called, then the connection closes with 1011 "Internal error".',
      "open",
      (step) => ({ open: [step] }),
      nothing,
    ),
    failing(
      "F2",
      'If `message` fails, `error` is called, then the connection closes with 1011 "Internal error".',
      "message",
      (step) => ({ message: [step] }),
      go,
    ),
    failing("F3", "The same holds if `message` fails after an await.", "message", (step) => ({ message: [["sleep", 20], step] }), go),
    failing(
      "F4",
      "If `close` fails, `error` is called, and the close stays as it was.",
      "close",
      (step) => ({ close: [step] }),
      (peer) => peer.close(1000),
    ),
    failing(
      "F5",
      "If `error` fails too, the client still gets 1011, and nothing else ends.",
      "message",
      (step) => ({ message: [["throw", "secret"]], error: [step] }),
      go,
    ),
    {
      id: "F6",
      statement: "After a hook has failed, no message is delivered, not even one that was already waiting.",
      async run(t) {
        const peer = await t.connect({
          message: [
            ["sleep", 20],
            ["throw", "secret"],
          ],
        });
        await peer.sendAll(["one", "two", "three"]);
        await expectClose(peer, 1011, "Internal error");
        await t.closing(peer);
        equal(t.entries(peer).filter((entry) => entry.hook === "message").length, 1);
      },
    },
    {
      id: "F7",
      statement: "What was sent before the hook failed arrives before the 1011.",
      async run(t) {
        const peer = await t.connect({
          message: [
            ["send", "before"],
            ["throw", "secret"],
          ],
        });
        await peer.send("go");
        await expectTexts(peer, "before");
        await expectClose(peer, 1011, "Internal error");
      },
    },
    {
      id: "F8",
      statement: "A hook that fails after `close` does not change the close, and `error` is called.",
      async run(t) {
        const peer = await t.connect({
          message: [
            ["close", 4000, "mine"],
            ["throw", "secret"],
          ],
        });
        await peer.send("go");
        await expectClose(peer, 4000, "mine");
        equal((await t.hook(peer, "error"))["of"], "message");
        deepEqual(await t.closing(peer), { code: 4000, reason: "mine", initiator: "server" });
      },
    },
    {
      id: "F9",
      statement: "If a hook fails after the client has left, `error` gets it, and the close hook gets the client's close.",
      async run(t) {
        const peer = await t.connect({
          message: [
            ["sleep", 200],
            ["throw", "late"],
          ],
        });
        await peer.send("go");
        await t.hook(peer, "message");
        await peer.lose();
        equal((await t.hook(peer, "error"))["error"], "Error: late");
        const { code } = await t.closing(peer);
        ok(code === 1006 || code === 1011, String(code));
      },
    },
    {
      id: "F10",
      statement: "An asynchronous hook runs to its end after the client has left.",
      async run(t) {
        const peer = await t.connect({
          message: [
            ["sleep", 300],
            ["send", "too late"],
          ],
        });
        await peer.send("go");
        await t.hook(peer, "message");
        await peer.lose();
        await t.done(peer, "message");
        equal((await t.closing(peer)).initiator, "network");
      },
    },
    {
      id: "F11",
      statement: "100 connections whose hooks fail at once end only themselves.",
      async run(t) {
        const other = await t.connect({ room: "other" });
        const peers = await Promise.all(Array.from({ length: 100 }, () => t.connect({ message: [["throw", "secret"]] })));
        await Promise.all(peers.map((peer) => peer.send("go")));
        for (const peer of peers) await expectClose(peer, 1011, "Internal error");
        await other.send("alive");
        await expectTexts(other, "alive");
      },
    },
    {
      id: "F12",
      statement:
        "If `upgrade` fails and then `error` throws, rejects or never settles, the client gets a 500 at once, without details of either.",
      async run(t) {
        for (const then of ["throws", "rejects", "hangs"] as const) {
          for (const step of ["throw", "reject"] as const) {
            const refusal = await t.refused({ upgrade: [[step, `secret, error then ${then} tag=${t.tag}`]] });
            equal(refusal.status, 500, then);
            ok(!/secret/.test(refusal.body), refusal.body);
          }
        }
        await t.barrier();
      },
    },
    {
      id: "F13",
      statement: "If a promise given to `waitUntil` rejects, `error` gets it, and the connection goes on.",
      async run(t) {
        const peer = await t.connect({ message: [["waitUntil", 20, "secret"], ["echo"]] });
        for (const nth of [1, 2, 3]) {
          await peer.send(`message ${nth}`);
          await expectTexts(peer, `message ${nth}`);
          const { of, error } = await t.hook(peer, "error", nth);
          deepEqual([of, error], ["waitUntil", "Error: secret"]);
          await t.done(peer, "error", nth);
        }
        const left = await t.connect({ message: [["waitUntil", 300, "late"]] });
        await left.send("go");
        await t.done(left, "message");
        await left.close(1000);
        deepEqual(await t.closing(left), { code: 1000, reason: "", initiator: "client" });
        const { of, error, phase } = await t.hook(left, "error");
        deepEqual([of, error, phase], ["waitUntil", "Error: late", "closed"]);
      },
    },
    {
      id: "F14",
      statement:
        "What was given to `waitUntil` runs to its end after the connection has closed, whoever closed it; also if `close` gave it.",
      async run(t) {
        const work = ["waitUntilClosed"] as const;
        const ends: readonly (readonly [options: ConnectOptions, end: (peer: Peer) => Promise<void>])[] = [
          [{ message: [work] }, (peer) => peer.close(1000)],
          [{ message: [work] }, (peer) => peer.lose()],
          [{ message: [work, ["close", 4000]] }, nothing],
          [{ message: [work, ["terminate"]] }, nothing],
          [{ message: [["echo"]], close: [work] }, (peer) => peer.close(1000)],
          [{ message: [["terminate"]], close: [work] }, nothing],
        ];
        for (const [options, end] of ends) {
          const peer = await t.connect(options);
          await peer.send("go");
          await t.done(peer, "message");
          await end(peer);
          await t.closing(peer);
          equal((await t.did(peer, "work"))["phase"], "closed");
        }
      },
    },
    {
      id: "F15",
      statement: "What was given to `waitUntil` delays neither messages nor `close`.",
      async run(t) {
        const peer = await t.connect({ message: [["waitUntil", 400], ["echo"]] });
        await peer.sendAll(["one", "two", "three"]);
        await expectTexts(peer, "one", "two", "three");
        await peer.close(1000);
        await t.closing(peer);
        await t.did(peer, "work", 3);
        const steps = t.entries(peer).flatMap(({ hook, did }) => (hook === "close" ? hook : did === "work" ? did : []));
        // An eviction between the client's messages and its close waits for the work.
        if (t.column !== "evicted") equal(steps[0], "close");
      },
    },
    {
      id: "F16",
      statement: "`waitUntil` of anything but a promise throws a TypeError, and the connection stays open.",
      async run(t) {
        const odd = [null, 1, "text", {}, [], JSON.parse('{"then":1}') as unknown];
        const peer = await t.connect({ message: [...odd.map((value) => ["waitUntilOdd", value] as const), ["echo"]] });
        await peer.send("alive");
        await expectTexts(peer, "alive");
        for (const nth of odd.keys()) {
          const { threw, message } = await t.did(peer, "waitUntilOdd", nth + 1);
          equal(threw, "TypeError");
          match(String(message), /^waitUntil needs a promise, not /);
        }
      },
    },
  ],
};
