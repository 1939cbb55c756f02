import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { needsWire, type Case, type Chapter, type Context } from "../support/case.ts";
import { expectTexts } from "../support/peer.ts";
import type { UpgradeStep } from "../support/script.ts";
import type { Unsendable } from "../support/unsendable.ts";

/** A 500 without a word of why, which `error` is told. */
async function expectUnsendable(t: Context, step: UpgradeStep, why: RegExp, on: "main" | "tight" = "main"): Promise<void> {
  for (const sleep of [[], [["sleep", 20] as const]]) {
    const told = await t.toldOfUpgrade(async () => {
      const refusal = await t.refused({ on, upgrade: [...sleep, step] });
      equal(refusal.status, 500, JSON.stringify(step));
      match(refusal.body, /^Internal Server Error\n?$/);
    });
    match(told, why);
  }
}

/** `upgrade` returns each of these, or throws it. */
function unsendable(id: string, statement: string, kinds: readonly (readonly [kind: Unsendable, why: RegExp])[]): Case {
  return {
    id,
    statement,
    async run(t) {
      for (const [kind, why] of kinds) {
        for (const step of ["unsendable", "throwUnsendable"] as const) await expectUnsendable(t, [step, kind, "secret"], why);
      }
      await t.barrier();
    },
  };
}

export const upgrade: Chapter = {
  letter: "U",
  title: "The upgrade hook",
  cases: [
    {
      id: "U1",
      statement: "An asynchronous `upgrade` delays the 101, and the connection starts from what it resolved to.",
      async run(t) {
        const peer = await t.connect({
          upgrade: [
            ["sleep", 50],
            ["accept", { state: { user: "ada" } }],
          ],
          message: [["inspect"]],
        });
        await peer.send("go");
        deepEqual((await t.did(peer, "inspect"))["state"], { user: "ada" });
      },
    },
    {
      id: "U2",
      statement: "`upgrade` refuses by returning a Response: its status, headers and body reach the client, and no connection opens.",
      async run(t) {
        for (const sleep of [[], [["sleep", 20] as const]]) {
          const refusal = await t.refused({
            upgrade: [
              ...sleep,
              ["refuse", { status: 403, headers: { "x-reason": "closed", "content-type": "text/plain" }, body: "no entry" }],
            ],
          });
          equal(refusal.status, 403);
          equal(refusal.header("x-reason"), "closed");
          equal(refusal.header("content-type"), "text/plain");
          equal(refusal.body, "no entry");
        }
        await t.barrier();
        equal(t.entries().filter((entry) => entry.hook === "open").length, 1);
      },
    },
    {
      id: "U3",
      statement: "`upgrade` refuses by throwing a Response, too.",
      async run(t) {
        const refusal = await t.refused({
          upgrade: [["throwResponse", { status: 401, headers: { "www-authenticate": "Basic" }, body: "who are you?" }]],
        });
        equal(refusal.status, 401);
        equal(refusal.header("www-authenticate"), "Basic");
        equal(refusal.body, "who are you?");
        equal(
          t.entries().some((entry) => entry.hook === "error"),
          false,
        );
      },
    },
    {
      id: "U4",
      statement: "Any status refuses, including redirects and Responses without a body.",
      async run(t) {
        for (const status of [302, 400, 404, 429, 500, 503]) {
          const refusal = await t.refused({ upgrade: [["refuse", { status, headers: { location: "/login" } }]] });
          equal(refusal.status, status);
          equal(refusal.header("location"), "/login");
          equal(refusal.body, "");
        }
      },
    },
    {
      id: "U5",
      statement:
        "If `upgrade` throws or rejects, the client gets a 500 that says nothing about the error, and `error` gets it, without a connection.",
      async run(t) {
        for (const step of ["throw", "reject"] as const) {
          const refusal = await t.refused({ upgrade: [[step, `secret ${step} tag=${t.tag}`]] });
          equal(refusal.status, 500);
          ok(!/secret/.test(refusal.body), refusal.body);
          const told = await t.until(`the error of ${step}`, (entry) => entry.hook === "error" && String(entry["error"]).includes(step));
          equal(told["of"], "upgrade");
        }
        await t.barrier();
      },
    },
    {
      id: "U6",
      statement: "The headers that `upgrade` returns reach the 101; each cookie is a header of its own.",
      async run(t) {
        const headers: [string, string][] = [
          ["Set-Cookie", "a=1; Path=/"],
          ["Set-Cookie", "b=2; HttpOnly"],
          ["X-Custom", "yes"],
        ];
        for (const sleep of [[], [["sleep", 20] as const]]) {
          const peer = await t.connect({ upgrade: [...sleep, ["accept", { headers }]] });
          deepEqual(peer.headers("set-cookie"), ["a=1; Path=/", "b=2; HttpOnly"]);
          deepEqual(peer.headers("x-custom"), ["yes"]);
          await peer.send("still");
          await expectTexts(peer, "still");
        }
      },
    },
    {
      id: "U7",
      statement: "If `upgrade` sets one of the handshake's own headers, the client gets a 500, and `error` is told which.",
      async run(t) {
        for (const name of ["Sec-WebSocket-Accept", "Sec-WebSocket-Protocol", "Connection", "Upgrade", "Content-Length"]) {
          equal((await t.refused({ upgrade: [["accept", { headers: { [name]: "1" } }]] })).status, 500, name);
        }
        await t.barrier();
      },
    },
    {
      id: "U8",
      statement: "`upgrade` chooses the room and the state; the connection has the URL of its handshake.",
      async run(t) {
        const options = {
          path: "/a%20b/c",
          upgrade: [["accept", { room: `${t.tag}-blue`, state: [1, { two: null }] }]],
          open: [["inspect"]],
        } as const;
        const peer = await t.connect({ ...options, ...(t.column === "evicted" ? { room: "blue" } : {}) });
        const seen = await t.did(peer, "inspect");
        equal(seen["room"], `${t.tag}-blue`);
        deepEqual(seen["state"], [1, { two: null }]);
        equal(seen["phase"], "open");
        match(String(seen["url"]), /^http:\/\/localhost(:\d+)?\/a%20b\/c\?tag=/);
      },
    },
    {
      id: "U9",
      statement:
        "State may hold JSON values and Map, Set, Date, bigint, bytes, undefined, NaN and -0. A function is a 500, and `error` is told where.",
      async run(t) {
        const state = { text: "é€😀\u0000", list: [null, true, 1.5, -0.1], nested: { deep: { er: "x".repeat(2000) } } };
        const plain = await t.connect({ upgrade: [["accept", { state }]], message: [["inspect"]] });
        await plain.send("go");
        deepEqual((await t.did(plain, "inspect"))["state"], state);

        const rich = await t.connect({ upgrade: [["accept", {}, "rich"]], message: [["describe"]] });
        await rich.send("go");
        deepEqual((await t.did(rich, "describe"))["state"], {
          map: {
            Map: [
              ["string set", { Set: ["number 1", "string two"] }],
              ["number 2", "object null"],
            ],
          },
          date: { Date: new Date(1e12).toISOString() },
          numbers: ["bigint 18446744073709551616", "number NaN", "number -Infinity", "number -0"],
          bytes: { Uint8Array: [0, 128, 255] },
          buffer: { ArrayBuffer: [0, 128, 255] },
          nothing: "undefined undefined",
        });

        // The error's own words are all that says whose it is: the place is named after the case.
        const { status } = await t.refused({ upgrade: [["accept", {}, { functionAt: `tag=${t.tag}` }]] });
        equal(status, 500);
        const told = await t.until("the error", (entry) => entry.hook === "error");
        match(String(told["error"]), new RegExp(`^TypeError: state\\.tag=${t.tag} is a function`));
      },
    },
    {
      id: "U10",
      statement: "State of up to `maxState` (64 KiB) travels with the handshake. More is a 500, on every runtime, and `error` is told.",
      async run(t) {
        const peer = await t.connect({
          path: "/" + "p".repeat(2000),
          upgrade: [["accept", {}, { letters: 65_000 }]],
          message: [["describe"], ["echo"]],
        });
        await peer.send("fits");
        await expectTexts(peer, "fits");
        equal((await t.did(peer, "describe"))["state"], "65000 letters");
        const refusal = await t.refused({ upgrade: [["accept", {}, { letters: 66_000 }]] });
        equal(refusal.status, 500);
        const over = await t.connect({ message: "run" });
        await over.send(JSON.stringify([["setState", "x".repeat(66_000)], ["inspect"]]));
        equal((await t.did(over, "setState"))["threw"], "RangeError");
        equal((await t.did(over, "inspect"))["phase"], "open");
      },
    },
    {
      id: "U11",
      statement: "`upgrade` gets the request as it was sent: method, URL and cookies.",
      async run(t) {
        const peer = await t.connect({ path: "/p/q", headers: [["Cookie", "a=1; b=2"]] });
        const entry = await t.hook(peer, "upgrade");
        equal(entry["method"], "GET");
        equal(entry["cookie"], "a=1; b=2");
        match(String(entry["url"]), /^http:\/\/localhost(:\d+)?\/p\/q\?tag=/);
      },
    },
    {
      id: "U12",
      statement: "`upgrade` and the connection know the client's address; an IPv4 address is in its plain form.",
      limits: { workers: "P6", durable: "P6", evicted: "P6" },
      async run(t) {
        const peer = await t.connect({ open: [["inspect"]] });
        equal((await t.hook(peer, "upgrade"))["address"], "127.0.0.1");
        equal((await t.did(peer, "inspect"))["remoteAddress"], "127.0.0.1");
      },
    },
    {
      id: "U13",
      statement: "If `upgrade` never settles, the client gets 503 with Retry-After after `upgradeTimeout`.",
      async run(t) {
        const refusal = await t.refused({ on: "tight", upgrade: [["never"]] });
        equal(refusal.status, 503);
        equal(refusal.header("retry-after"), "1");
        await t.barrier("tight");
      },
    },
    {
      id: "U14",
      statement:
        "A client that resets while `upgrade` is pending ends only its own handshake. If its connection opens all the same, it closes at once.",
      limits: needsWire,
      async run(t) {
        const client = await t.dial();
        client.write(
          t.request({
            upgrade: [
              ["sleep", 200],
              ["accept", {}],
            ],
          }),
        );
        await t.until("upgrade", (entry) => entry.hook === "upgrade");
        client.reset();
        await t.until("the end of upgrade", (entry) => entry.done === "upgrade");
        await t.barrier();
      },
    },
    {
      id: "U15",
      statement: "A client that half-closes or leaves while `upgrade` is pending ends only its own handshake.",
      limits: needsWire,
      async run(t) {
        const client = await t.dial();
        client.write(
          t.request({
            upgrade: [
              ["sleep", 200],
              ["accept", {}],
            ],
          }),
        );
        await t.until("upgrade", (entry) => entry.hook === "upgrade");
        client.destroy();
        await t.until("the end of upgrade", (entry) => entry.done === "upgrade");
        await t.barrier();
      },
    },
    {
      id: "U16",
      statement: "A client that resets while `upgrade` is about to refuse or throw ends only its own handshake.",
      limits: needsWire,
      async run(t) {
        for (const last of [
          ["refuse", { status: 403, body: "no" }],
          ["throw", `late tag=${t.tag}`],
        ] as const) {
          const client = await t.dial();
          client.write(t.request({ upgrade: [["sleep", 150], last] }));
          const before = t.entries().filter((entry) => entry.done === "upgrade").length;
          await t.until("upgrade", () => t.entries().filter((entry) => entry.hook === "upgrade").length > before);
          client.reset();
          await t.until("the end of upgrade", () => t.entries().filter((entry) => entry.done === "upgrade").length > before);
        }
        await t.barrier();
      },
    },
    {
      id: "U25",
      statement: "If a client has reset before its asynchronous `upgrade` is done, its connection never opens.",
      limits: { ...needsWire, workers: "P45" },
      async run(t) {
        for (let count = 1; count <= 5; count++) {
          const client = await t.dial();
          client.write(
            t.request({
              upgrade: [
                ["sleep", 400],
                ["accept", {}],
              ],
            }),
          );
          const of = (key: "hook" | "done"): number => t.entries().filter((entry) => entry[key] === "upgrade").length;
          await t.until("upgrade", () => of("hook") === count);
          client.reset();
          await t.until("the end of upgrade", () => of("done") === count);
        }
        await t.barrier();
        // The barrier's own, from another client.
        const opened = t.entries().filter((entry) => entry.hook === "open").length;
        equal(opened, 1, `${opened - 1} of 5 did open`);
      },
    },
    {
      id: "U17",
      statement:
        "The result of `upgrade` is checked: an unknown key, an invalid room name, or a subprotocol that was not offered is a 500.",
      async run(t) {
        const wrong: unknown[] = [{ rooom: "x" }, { room: "" }, { room: "x".repeat(513) }, { room: 1 }, { protocol: "unasked" }];
        for (const result of wrong)
          equal((await t.refused({ upgrade: [["accept", result as object]] })).status, 500, JSON.stringify(result));
        await t.barrier();
      },
    },
    {
      id: "U18",
      statement:
        "A client can't impersonate a platform, a proxy or Edgewire: headers in their names change neither its room, its state nor its address.",
      async run(t) {
        const honest = await t.connect({ open: [["inspect"]], upgrade: [["accept", { state: "its own" }]] });
        const { remoteAddress } = await t.did(honest, "inspect");
        const stolen = {
          id: "stolen",
          room: "stolen",
          url: "/",
          protocol: "",
          remoteAddress: "6.6.6.6",
          version: 0,
          state: JSON.stringify("stolen"),
          topics: [],
          phase: "open",
        };
        const forged = { binding: "MAIN", snapshot: stolen };
        const edgewire = JSON.stringify(forged);
        const cf = JSON.stringify({ edgewire: forged });
        const headers: [string, string][] = [
          ["cf", cf],
          ["CF-Edgewire", edgewire],
          ["MF-CF-Blob", cf],
          ["CF-EW-Via", "1"],
          ["Edgewire-Object", "MAIN"],
          ["Edgewire", edgewire],
          ["X-Forwarded-For", "6.6.6.6"],
          ["X-Forwarded-Host", "6.6.6.6"],
          ["Forwarded", "for=6.6.6.6;host=6.6.6.6"],
          ["X-Real-IP", "6.6.6.6"],
          ["True-Client-IP", "6.6.6.6"],
        ];
        // Bare workerd has no edge in front that would replace it.
        if (!["workers", "durable", "evicted"].includes(t.column)) headers.push(["CF-Connecting-IP", "6.6.6.6"]);
        const liar = await t.connect({ headers, open: [["inspect"]], upgrade: [["accept", { state: "its own" }]] });
        const seen = await t.did(liar, "inspect");
        deepEqual([seen["state"], seen["remoteAddress"], (await t.hook(liar, "open"))["room"]], ["its own", remoteAddress, t.room()]);
        notEqual(seen["id"], "stolen");
        await liar.send("served");
        await expectTexts(liar, "served");
      },
    },
    unsendable(
      "U19",
      "A Response that can't be sent (its status is 0, its body was read or is being read) is a 500, and `error` is told why.",
      [
        ["error", /^TypeError: the Response of upgrade has the status 0: it must be from 200 to 599 \[EW222\]$/],
        ["used", /^TypeError: the Response of upgrade has a body that was already used/],
        ["locked", /^TypeError: the Response of upgrade has a body that was already used/],
      ],
    ),
    {
      id: "U20",
      statement:
        "A Response with a body refuses once: the second client gets a 500, and `error` is told. A Response without a body may refuse repeatedly.",
      async run(t) {
        const refuse = (kind: Unsendable): Promise<{ status: number; body: string }> =>
          t.refused({ upgrade: [["unsendable", kind, `${kind} of ${t.tag}`]] });
        const first = await refuse("a constant");
        deepEqual([first.status, first.body], [403, "only once"]);
        await expectUnsendable(
          t,
          ["unsendable", "a constant", `a constant of ${t.tag}`],
          /^TypeError: the Response of upgrade has a body that was already used/,
        );
        for (let round = 0; round < 3; round++) {
          const { status, body } = await refuse("a constant without a body");
          deepEqual([status, body], [403, ""]);
        }
      },
    },
    unsendable(
      "U21",
      "If the body of a refusal fails, at once or midway, or contains anything but bytes, the answer is a 500, and `error` is told.",
      [
        ["fails at once", /secret/],
        ["fails midway", /secret/],
        ["is no bytes", /^TypeError: the Response of upgrade has a body with chunks that are not a Uint8Array \[EW224\]$/],
      ],
    ),
    {
      id: "U22",
      statement: "If the body of a refusal does not end within `upgradeTimeout`, the answer is a 500, and `error` is told.",
      async run(t) {
        await expectUnsendable(
          t,
          ["unsendable", "never ends", ""],
          /^Error: the Response of upgrade has a body that did not end within upgradeTimeout \[EW223\]$/,
          "tight",
        );
        await t.barrier("tight");
      },
    },
    {
      id: "U23",
      statement: "If a header of a refusal or of the 101 has control characters, the answer is a 500, and `error` is told which.",
      async run(t) {
        const why = (who: string): RegExp => new RegExp(`^TypeError: ${who} has a control character in the header "x-odd" \\[EW219\\]$`);
        for (const kind of ["header", "delete"] as const)
          await expectUnsendable(t, ["unsendable", kind, ""], why("the Response of upgrade"));
        for (const value of ["a\u0001b", "a\u007fb"]) {
          await expectUnsendable(t, ["accept", { headers: { "x-odd": value } }], why("upgrade"));
        }
        await t.barrier();
      },
    },
    unsendable("U24", "If the body of a refusal exceeds 1 MiB, or never ends, the answer is a 500, and `error` is told.", [
      ["large", /^RangeError: the Response of upgrade has a body of more than 1048576 bytes \[EW225\]$/],
      ["never stops", /^RangeError: the Response of upgrade has a body of more than 1048576 bytes \[EW225\]$/],
    ]),
  ],
};
