import { deepEqual, equal, ok } from "node:assert/strict";
import type { Chapter, Context, Peer } from "../support/case.ts";
import { expectClose, expectTexts } from "../support/peer.ts";

const why = "Credential expired";
/** Within a second after `expiresAt`: the end of its second is the latest. */
const late = 1000;

/** `t.evict` forgets the object's memory where there is an object: only its alarm knows then when a credential ends. */
export const expiry: Chapter = {
  letter: "E",
  title: "Expiring credentials",
  cases: [
    {
      id: "E1",
      statement:
        'At the `expiresAt` that `upgrade` returned, in milliseconds, the connection closes with 3000 "Credential expired", and not before.',
      async run(t) {
        const expiresAt = soon();
        const peer = await t.connect({ upgrade: [["accept", { expiresAt }]], message: [["inspect"], ["echo"]] });
        await peer.send("before");
        await expectTexts(peer, "before");
        equal((await t.did(peer, "inspect"))["expiresAt"], expiresAt);
        await expectClose(peer, 3000, why);
        ok(Date.now() >= expiresAt, `closed ${expiresAt - Date.now()} ms too early`);
        deepEqual(await t.closing(peer), { code: 3000, reason: why, initiator: "server" });
      },
    },
    {
      id: "E2",
      statement: "`expiresAt` may be a Date. Anything else is an error of `upgrade`: 500.",
      async run(t) {
        const expiresAt = soon();
        const peer = await t.connect({ upgrade: [["accept", {}, { expiresAtDate: expiresAt }]] });
        await expectClose(peer, 3000, why);
        ok(Date.now() >= expiresAt);
        for (const wrong of ["2030-01-01", {}, 1e20]) {
          const refusal = await t.refused({ upgrade: [["accept", { expiresAt: wrong as number }]] });
          equal(refusal.status, 500);
        }
      },
    },
    {
      id: "E3",
      statement: "An `expiresAt` in the past refuses the handshake with 401, and no connection opens.",
      async run(t) {
        for (const sleep of [[], [["sleep", 20] as const]]) {
          const refusal = await t.refused({ upgrade: [...sleep, ["accept", { expiresAt: Date.now() - 1 }]] });
          equal(refusal.status, 401);
          equal(refusal.header("www-authenticate"), 'Bearer error="invalid_token"');
        }
        await t.barrier();
        equal(t.entries().filter((entry) => entry.hook === "open").length, 1);
      },
    },
    {
      id: "E4",
      statement: "`renew` extends the credential: the first time passes, the second closes.",
      async run(t) {
        const first = soon() + 1000;
        const peer = await t.connect({ upgrade: [["accept", { expiresAt: first }]], message: "run" });
        const second = first + 3000;
        await peer.send(JSON.stringify([["renew", second]]));
        await past(first);
        await answers(peer);
        await expectClose(peer, 3000, why);
        ok(Date.now() >= second);
      },
    },
    {
      id: "E5",
      statement: "`renew(null)` removes the expiry, and a connection without one can be given one.",
      async run(t) {
        const first = soon();
        const never = await t.connect({ upgrade: [["accept", { expiresAt: first }]], message: "run" });
        const given = await t.connect({ message: "run" });
        await never.send(JSON.stringify([["renew", null], ["inspect"]]));
        await given.send(JSON.stringify([["renew", first]]));
        equal((await t.did(never, "inspect"))["expiresAt"], undefined);
        await expectClose(given, 3000, why);
        await past(first);
        await answers(never);
      },
    },
    {
      id: "E6",
      statement: "`renew` with a past time closes at once. With an invalid time it throws a TypeError and changes nothing.",
      async run(t) {
        const peer = await t.connect({ message: "run" });
        for (const wrong of ["2030-01-01", {}, 1e20]) {
          await peer.send(JSON.stringify([["renew", wrong as number]]));
        }
        await answers(peer);
        for (const nth of [1, 2, 3]) equal((await t.did(peer, "renew", nth))["threw"], "TypeError");
        await peer.send(
          JSON.stringify([
            ["renew", Date.now() - 1],
            ["send", "too late"],
          ]),
        );
        await expectClose(peer, 3000, why);
        equal((await t.did(peer, "send", 2))["result"], "closed");
      },
    },
    {
      id: "E7",
      statement: "The connection also closes after an eviction, when only the object's alarm wakes it; a renewed time survives too.",
      async run(t) {
        const first = soon();
        const second = first + 3000;
        const peers = await Promise.all([connect(t, first), connect(t, first), connect(t, first + 10_000)]);
        const [one, renewed, sooner] = peers as [Peer, Peer, Peer];
        await renewed.send(JSON.stringify([["renew", second]]));
        await sooner.send(JSON.stringify([["renew", second]]));
        for (const peer of [renewed, sooner]) await t.done(peer, "message");
        await t.evict();
        await expectClose(one, 3000, why);
        await t.done(one, "close");
        await t.evict();
        for (const peer of [renewed, sooner]) {
          await expectClose(peer, 3000, why);
          ok(Date.now() >= second);
          deepEqual(await t.closing(peer), { code: 3000, reason: why, initiator: "server" });
        }
      },
    },
    {
      id: "E8",
      statement: "No message that arrives after the expiry is delivered, whether or not the close has been sent by then.",
      async run(t) {
        const expiresAt = Math.ceil(soon() / 1000) * 1000 + 100;
        const peer = await t.connect({ upgrade: [["accept", { expiresAt }]] });
        await new Promise((resolve) => setTimeout(resolve, expiresAt + 50 - Date.now()));
        await peer.send("too late");
        await expectClose(peer, 3000, why);
        await t.closing(peer);
        equal(t.entries(peer).filter((entry) => entry.hook === "message").length, 0);
      },
    },
    {
      id: "E9",
      statement: "An `expiresAt` that is months away, or the last that a Date can hold, closes nothing now and hides no earlier one.",
      async run(t) {
        const far = [Date.now() + 40 * 86_400_000, 8.64e15];
        const peers = await Promise.all(far.map((expiresAt) => connect(t, expiresAt)));
        const near = await connect(t, soon());
        await t.evict();
        await expectClose(near, 3000, why);
        for (const peer of peers) await answers(peer);
      },
    },
    {
      id: "E10",
      statement: "`renew` can replace a time months away by a near one, and a near one by one months away.",
      async run(t) {
        const [soonest, never] = [soon(), Date.now() + 40 * 86_400_000];
        const [nearer, farther] = [await connect(t, never), await connect(t, soonest)];
        await nearer.send(JSON.stringify([["renew", soonest]]));
        await farther.send(JSON.stringify([["renew", never]]));
        for (const peer of [nearer, farther]) await t.done(peer, "message");
        await t.evict();
        await expectClose(nearer, 3000, why);
        await past(soonest);
        await answers(farther);
      },
    },
  ],
};

/** Far enough away for a handshake on a busy machine. */
function soon(): number {
  return Date.now() + 700;
}

function connect(t: Context, expiresAt: number): Promise<Peer> {
  return t.connect({ upgrade: [["accept", { expiresAt }]], message: "run" });
}

/** Until a close for that time would have come. */
async function past(expiresAt: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, expiresAt + late + 200 - Date.now()));
}

async function answers(peer: Peer): Promise<void> {
  await peer.send(JSON.stringify([["send", "still here"]]));
  await expectTexts(peer, "still here");
}
