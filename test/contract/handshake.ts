import { deepEqual, equal, ok } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { needsWire, type Case, type Chapter, type Context } from "../support/case.ts";
import { acceptFor, type Client } from "../support/client.ts";
import { expectTexts } from "../support/peer.ts";
import { messageFrame } from "../wire/frames.ts";
import type { HeaderList } from "../wire/http.ts";

type Limits = NonNullable<Case["limits"]>;

/** Node keeps these requests from `attach`: the application answers them. */
const applications: Limits = { attached: "P7" };

/** Answered 101, and working. */
function accepted(id: string, statement: string, limits: Limits, ...lists: HeaderList[]): Case {
  return {
    id,
    statement,
    limits: { ...needsWire, ...limits },
    async run(t) {
      for (const headers of lists) {
        const client = await raw(t, headers);
        equal(client.response.status, 101, JSON.stringify(headers));
        client.send("hello");
        deepEqual(await client.next(), { type: "text", data: "hello" });
      }
    },
  };
}

/** Answered with this status and never opened; `expected` are headers of the answer. */
function rejected(
  id: string,
  statement: string,
  status: number,
  expected: Record<string, string>,
  limits: Limits,
  ...lists: HeaderList[]
): Case {
  return {
    id,
    statement,
    limits: { ...needsWire, ...limits },
    async run(t) {
      for (const headers of lists) {
        const client = await raw(t, headers);
        // An interim response that Bun writes before it asks anyone (RFC 9110 section 15.2.1).
        if (client.response.status === 100) await client.head();
        equal(client.response.status, status, JSON.stringify(headers));
        for (const [name, value] of Object.entries(expected)) equal(client.response.header(name)?.toLowerCase(), value, name);
      }
      await t.barrier("second");
      equal(t.entries().filter((entry) => entry.hook === "open").length, 1, "the refused handshake opened");
    },
  };
}

/** A plain request, and right behind it what follows on the same connection: one segment. */
const pipelined = (target: string, ...behind: readonly Uint8Array[]): Buffer =>
  Buffer.concat([Buffer.from(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`), ...behind]);

async function expectAnswer(client: Client, target: string): Promise<void> {
  equal((await client.head()).status, 200);
  equal((await client.rest()).trim(), `GET ${target}`);
}

async function raw(
  t: Context,
  headers: HeaderList,
  more: { method?: string; version?: string; target?: string } = {},
): ReturnType<Context["handshake"]> {
  return t.handshake({ on: "second", headers, ...more });
}

/** Offers that no runtime accepts. */
const declined = [
  "permessage-deflate; foo",
  "permessage-deflate; foo=bar",
  "permessage-deflate; client_max_window_bits=16",
  "permessage-deflate; client_max_window_bits=9; client_max_window_bits=10",
  "permessage-deflate; server_max_window_bits",
  "permessage-deflate; server_max_window_bits=7",
  'permessage-deflate; server_max_window_bits="10',
  "permessage-deflate; server_no_context_takeover=1",
  "permessage deflate",
  ", ,",
  "=",
];

export const handshake: Chapter = {
  letter: "H",
  title: "Handshake",
  cases: [
    {
      id: "H1",
      statement:
        "The 101 has Upgrade: websocket, Connection: Upgrade and the Sec-WebSocket-Accept that answers the key. It gives no length of a body.",
      limits: needsWire,
      async run(t) {
        for (let round = 0; round < 3; round++) {
          const key = randomBytes(16).toString("base64");
          const { response } = await raw(t, [["Sec-WebSocket-Key", key]]);
          equal(response.status, 101);
          equal(response.header("upgrade")?.toLowerCase(), "websocket");
          equal(response.header("connection")?.toLowerCase(), "upgrade");
          equal(response.header("sec-websocket-accept"), acceptFor(key));
          equal(response.header("content-length"), undefined);
          equal(response.header("transfer-encoding"), undefined);
        }
      },
    },
    accepted(
      "H2",
      "Upgrade and Connection are tokens in any case; Connection is a list, also over several headers.",
      {},
      [
        ["Upgrade", "WebSocket"],
        ["Connection", "upgrade"],
      ],
      [
        ["Upgrade", "WEBSOCKET"],
        ["Connection", "keep-alive, Upgrade"],
      ],
      [["Connection", "Upgrade,keep-alive"]],
      [
        ["Connection", "keep-alive"],
        ["Connection", "Upgrade"],
      ],
    ),
    accepted(
      "H20",
      "Upgrade is a list too, also over several headers. It may name websocket among others, or repeat it (RFC 9110 section 7.8).",
      { deno: "P22", workers: "P22", durable: "P22", evicted: "P22" },
      [["Upgrade", "h2c, websocket"]],
      [
        ["Upgrade", "h2c"],
        ["Upgrade", "websocket"],
      ],
      [
        ["Upgrade", "websocket"],
        ["Upgrade", "WebSocket"],
      ],
    ),
    rejected(
      "H3",
      "A request without Upgrade: websocket is not a handshake: it gets 426 with Sec-WebSocket-Version: 13.",
      426,
      { "sec-websocket-version": "13" },
      applications,
      [["Upgrade", null]],
      [["Upgrade", "h2c"]],
      [["Upgrade", "websockets"]],
    ),
    rejected(
      "H4",
      "A handshake without the token upgrade in Connection gets 400.",
      400,
      {},
      applications,
      [["Connection", null]],
      [["Connection", "keep-alive"]],
      [["Connection", "close"]],
      [["Connection", "upgraded"]],
    ),
    rejected("H21", "A handshake with Expect, which would wait for permission to send a body, gets 417.", 417, {}, {}, [
      ["Expect", "100-continue"],
    ]),
    rejected(
      "H22",
      "A handshake that announces a body, by Content-Length or Transfer-Encoding, gets 400.",
      400,
      {},
      {},
      [["Content-Length", "5"]],
      [["Transfer-Encoding", "chunked"]],
    ),
    {
      id: "H23",
      statement: "A handshake over HTTP/1.0 is answered like one over HTTP/1.1.",
      limits: { ...needsWire, workers: "P29", durable: "P29", evicted: "P29" },
      async run(t) {
        const client = await raw(t, [["Connection", "keep-alive, Upgrade"]], { version: "HTTP/1.0" });
        equal(client.response.status, 101);
        client.send("hello");
        deepEqual(await client.next(), { type: "text", data: "hello" });
      },
    },
    rejected(
      "H5",
      "A handshake with a Sec-WebSocket-Version other than 13, or without one, gets 426 with Sec-WebSocket-Version: 13.",
      426,
      { "sec-websocket-version": "13" },
      {},
      [["Sec-WebSocket-Version", "12"]],
      [["Sec-WebSocket-Version", "8"]],
      [["Sec-WebSocket-Version", null]],
      [["Sec-WebSocket-Version", "014"]],
      [
        ["Sec-WebSocket-Version", "13"],
        ["Sec-WebSocket-Version", "13"],
      ],
    ),
    rejected(
      "H6",
      "A Sec-WebSocket-Key that is missing, repeated, or not 16 bytes in base64 gets 400.",
      400,
      {},
      {},
      [["Sec-WebSocket-Key", null]],
      [["Sec-WebSocket-Key", ""]],
      [["Sec-WebSocket-Key", "c2hvcnQ="]],
      [["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ"]],
      [["Sec-WebSocket-Key", "!GhlIHNhbXBsZSBub25jZQ=="]],
      [["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZXRvb2xvbmc="]],
      [
        ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
        ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
      ],
    ),
    {
      id: "H7",
      statement: "A handshake with another method than GET gets 405 with Allow: GET.",
      limits: needsWire,
      async run(t) {
        for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
          const { response } = await raw(t, [], { method });
          equal(response.status, 405, method);
          equal(response.header("allow"), "GET", method);
        }
      },
    },
    {
      id: "H18",
      statement: "A POST that asks for an upgrade and gives the length of its body gets 405 too.",
      limits: { ...needsWire, deno: "P12" },
      async run(t) {
        const { response } = await raw(t, [["Content-Length", "0"]], { method: "POST" });
        equal(response.status, 405);
      },
    },
    {
      id: "H8",
      statement: "Where only WebSockets are served, a plain GET gets 426 with Sec-WebSocket-Version: 13 and a sentence that says why.",
      limits: { ...needsWire, ...applications },
      async run(t) {
        const client = await t.http("/", "GET", "", "second");
        equal(client.response.status, 426);
        equal(client.response.header("sec-websocket-version"), "13");
        ok((await client.body()).length > 0);
      },
    },
    {
      id: "H17",
      statement: "A 426 names the protocol in Upgrade (RFC 9110 section 15.5.22).",
      limits: { ...needsWire, attached: "P7", workers: "P10", durable: "P10", evicted: "P10" },
      async run(t) {
        const { response } = await t.http("/", "GET", "", "second");
        equal(response.header("upgrade")?.toLowerCase(), "websocket");
      },
    },
    accepted(
      "H9",
      "Headers that have no meaning for a handshake are ignored. So is Sec-WebSocket-Extensions: no extension is negotiated.",
      {},
      [
        ["X-Unknown", "1"],
        ["Sec-WebSocket-Extensions", "x-unknown; a=1"],
      ],
    ),
    {
      id: "H10",
      statement: "permessage-deflate is not negotiated unless `compression` is on.",
      limits: needsWire,
      async run(t) {
        const { response } = await raw(t, [["Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"]]);
        equal(response.status, 101);
        equal(response.header("sec-websocket-extensions"), undefined);
      },
    },
    {
      id: "H30",
      statement:
        "With `compression`, a malformed or unacceptable offer of permessage-deflate is declined (RFC 7692 section 5): the 101 comes without it.",
      limits: needsWire,
      async run(t) {
        for (const offer of declined) {
          const client = await t.handshake({ on: "deflating", headers: [["Sec-WebSocket-Extensions", offer]] });
          equal(client.response.status, 101, offer);
          equal(client.response.header("sec-websocket-extensions"), undefined, offer);
          client.send("hello");
          deepEqual(await client.next(), { type: "text", data: "hello" }, offer);
        }
      },
    },
    {
      id: "H31",
      statement: "If one of several offers of permessage-deflate is acceptable, it is accepted, even if others are not.",
      limits: { ...needsWire, deno: "P34" },
      async run(t) {
        for (const offers of [
          ["permessage-deflate; foo", "permessage-deflate"],
          ["permessage-deflate; client_max_window_bits=16", 'x-other; a="b"', "permessage-deflate; client_max_window_bits"],
          ["permessage-deflate", "permessage-deflate; server_max_window_bits=7"],
        ]) {
          for (const headers of [[offers.join(", ")], offers]) {
            const { response } = await t.handshake({
              on: "deflating",
              headers: headers.map((offer) => ["Sec-WebSocket-Extensions", offer]),
            });
            equal(response.status, 101);
            const negotiated = response.header("sec-websocket-extensions") ?? "nothing";
            ok(/^permessage-deflate($|;)/.test(negotiated), `${negotiated} was negotiated of ${headers.join(" | ")}`);
          }
        }
      },
    },
    {
      id: "H11",
      statement: "The request target may be an absolute URI; the connection's URL is the same.",
      limits: needsWire,
      async run(t) {
        const client = await t.handshake({ on: "second", absolute: true, open: [["inspect"]] });
        equal(client.response.status, 101);
        const seen = await t.until("inspect", (entry) => entry.did === "inspect");
        ok(String(seen["url"]).startsWith("http://localhost"), String(seen["url"]));
      },
    },
    {
      id: "H12",
      statement: "The request may arrive one byte at a time.",
      limits: needsWire,
      async run(t) {
        const client = await t.dial("second");
        for (const byte of t.request()) {
          client.write(Buffer.from([byte]));
          await new Promise(setImmediate);
        }
        equal((await client.head()).status, 101);
        client.send("hello");
        deepEqual(await client.next(), { type: "text", data: "hello" });
      },
    },
    {
      id: "H13",
      statement: "A URL of 8 000 bytes is served; one of 9 000 gets 414.",
      limits: needsWire,
      async run(t) {
        equal((await raw(t, [], { target: "/".padEnd(7800, "x") })).response.status, 101);
        equal((await raw(t, [], { target: "/".padEnd(9000, "x") })).response.status, 414);
      },
    },
    {
      id: "H14",
      statement: "Headers of 8 000 bytes in all are served.",
      limits: needsWire,
      async run(t) {
        equal((await raw(t, [["X-Long", "x".repeat(7500)]])).response.status, 101);
      },
    },
    {
      id: "H19",
      statement: "A request head over 16 KiB gets 431, a URL over 8 KiB gets 414. No hook runs, and the next request is served.",
      limits: needsWire,
      async run(t) {
        equal((await raw(t, [["X-Long", "x".repeat(20_000)]])).response.status, 431, "one header");
        const several = Array.from({ length: 20 }, (_, index) => [`X-Long-${index}`, "x".repeat(1000)] as const);
        equal((await raw(t, several)).response.status, 431, "20 headers");
        equal((await raw(t, [], { target: "/".padEnd(8300, "x") })).response.status, 414, "a URL");
        equal(t.entries().length, 0, "a hook ran");
        equal((await raw(t, [["X-Long", "x".repeat(15_000)]])).response.status, 101, "15 000 bytes");
      },
    },
    {
      id: "H15",
      statement: "Bytes that are not HTTP end their own TCP connection (a 4xx may come first) and nothing else.",
      limits: needsWire,
      async run(t) {
        for (const garbage of [
          Buffer.from("\x16\x03\x01\x00\x05hello\r\n\r\n", "latin1"),
          Buffer.from("GET\r\n\r\n"),
          Buffer.from("\r\n\r\n\r\nnonsense nonsense\r\n\r\n"),
        ]) {
          const client = await t.dial("second");
          client.write(garbage);
          client.finish();
          const status = await client.head().then(
            (response) => response.status,
            () => 400,
          );
          ok(status >= 400 && status < 500, `${status} for ${JSON.stringify(garbage.toString("latin1"))}`);
        }
        await t.barrier("second");
      },
    },
    {
      id: "H16",
      statement: "A request that is cut in the middle, by FIN or by reset, ends only its own connection.",
      limits: needsWire,
      async run(t) {
        for (const how of ["finish", "reset", "destroy"] as const) {
          const client = await t.dial("second");
          client.write(t.request().subarray(0, 60));
          client[how]();
        }
        await t.barrier("second");
      },
    },
    {
      id: "H24",
      statement:
        "A handshake behind another request on the same connection is answered after it, and frames behind the handshake are kept.",
      limits: needsWire,
      async run(t) {
        const client = await t.dial();
        client.write(pipelined("/hello", t.request(), messageFrame("early"), messageFrame(new Uint8Array(100_000))));
        await expectAnswer(client, "/hello");
        equal((await client.head()).status, 101);
        deepEqual(await client.next(), { type: "text", data: "early" });
        const event = await client.next();
        ok(event.type === "binary" && event.data.length === 100_000, event.type);
      },
    },
    {
      id: "H25",
      statement: "A handshake behind another request is also answered after it when it is refused, by a check or by `upgrade`.",
      limits: needsWire,
      async run(t) {
        const bad = t.request({ headers: [["Sec-WebSocket-Version", "12"]] });
        const refused = t.request({ upgrade: [["refuse", { status: 403, body: "no entry" }]] });
        const slowly = t.request({
          upgrade: [
            ["sleep", 50],
            ["refuse", { status: 403, body: "no entry" }],
          ],
        });
        for (const [request, status] of [
          [bad, 426],
          [refused, 403],
          [slowly, 403],
        ] as const) {
          const client = await t.dial();
          client.write(pipelined("/hello", request));
          await expectAnswer(client, "/hello");
          equal((await client.head()).status, status);
          ok((await client.body()).length > 0);
        }
        await t.barrier();
      },
    },
    {
      id: "H26",
      statement: "Of two handshakes in one segment the first is answered. If it is accepted, the second is a broken frame.",
      limits: needsWire,
      async run(t) {
        const client = await t.dial("second");
        client.write(Buffer.concat([t.request(), t.request()]));
        equal((await client.head()).status, 101);
        const event = await client.next();
        ok(event.type === "end" || (event.type === "close" && event.code === 1002), JSON.stringify(event));
        await t.barrier("second");
      },
    },
    {
      id: "H27",
      statement: "A refused client that goes on sending, a byte now and then, is disconnected all the same.",
      limits: { ...needsWire, bun: "P32", deno: "P32", workers: "P32", durable: "P32", evicted: "P32" },
      async run(t) {
        const client = await raw(t, [["Sec-WebSocket-Version", "12"]]);
        equal(client.response.status, 426);
        const trickle = setInterval(() => client.write("x"), 300);
        try {
          deepEqual((await client.next()).type, "end");
        } finally {
          clearInterval(trickle);
        }
      },
    },
    {
      id: "H28",
      statement: "A handshake waits its turn behind an earlier answer, however long that takes, whether it is accepted or refused.",
      limits: { ...needsWire, bun: "P31" },
      async run(t) {
        for (const [upgrade, status] of [
          [[], 101],
          [[["sleep", 50] as const], 101],
          [[["refuse", { status: 403, body: "no entry" }] as const], 403],
        ] as const) {
          const client = await t.dial();
          client.write(pipelined("/slow", t.request({ upgrade: [...upgrade, ["accept", {}]] }), messageFrame("early")));
          await expectAnswer(client, "/slow");
          equal((await client.head()).status, status);
          if (status === 101) deepEqual(await client.next(), { type: "text", data: "early" });
        }
        await t.barrier();
      },
    },
    rejected(
      "H35",
      "A Host that is missing, empty, repeated, or not a host with an optional port gets 400, and no hook runs.",
      400,
      {},
      {},
      [["Host", null]],
      [["Host", ""]],
      [
        ["Host", "a.example"],
        ["Host", "a.example"],
      ],
      ...[
        "a b",
        "a.example, b.example",
        "a.example/admin?",
        "a.example#",
        "a.example\\admin?",
        "user@a.example",
        "a.example:99999",
        "a.example:port",
        ":80",
        "[::1",
        "::1",
        "256.0.0.1",
        "a..example",
        "*",
        "a%2eexample",
        "b\xfccher.example",
      ].map((host): HeaderList => [["Host", host]]),
    ),
    {
      id: "H36",
      statement:
        "Hooks see the URL of the Host header, as the URL parser writes it: no dot segments, no fragment, no default port, a lower-case host.",
      limits: needsWire,
      async run(t) {
        for (const [host, target, expected] of [
          ["a.example", "/p", "http://a.example/p"],
          ["A.Example:80", "/p", "http://a.example/p"],
          ["a.example:443", "/p", "http://a.example:443/p"],
          ["a_b", "/p", "http://a_b/p"],
          ["[0:0:0:0:0:0:0:1]:8080", "/p", "http://[::1]:8080/p"],
          ["127.1", "/p", "http://127.0.0.1/p"],
          ["a.example", "//b.example/p", "http://a.example//b.example/p"],
          ["a.example", "/p/../q/./r", "http://a.example/q/r"],
          ["a.example", "/p/%2e%2E/q", "http://a.example/q"],
          ["a.example", "/p\\..\\q", "http://a.example/q"],
          ["a.example", "/%7Ep'|", "http://a.example/%7Ep'|"],
          ["a.example", "http://a.example/p/../q", "http://a.example/q"],
          // Bun and workerd show nothing of it.
          ["a.example", "http://b.example/p", "http://a.example/p"],
        ] as const) {
          const client = await raw(t, [["Host", host]], { target });
          equal(client.response.status, 101, `${host} ${target}`);
          const seen = await t.until(
            `upgrade of ${expected}`,
            ({ hook, url }) => hook === "upgrade" && String(url).startsWith(`${expected}?`),
          );
          equal(new URL(String(seen["url"])).href, seen["url"]);
        }
      },
    },
    {
      id: "H37",
      statement: "The connection's URL is the one that `upgrade` saw.",
      async run(t) {
        const headers: HeaderList = [["Host", "A.Example:80"]];
        const peer = await t.connect({ on: "second", path: "/p/../q", headers, open: [["inspect"]] });
        const { url } = await t.did(peer, "inspect");
        equal(url, (await t.hook(peer, "upgrade"))["url"]);
        ok(String(url).startsWith("http://a.example/q?"), String(url));
      },
    },
    accepted(
      "H38",
      "A header with an empty value counts as missing: Expect, a list of extensions.",
      {},
      [["Expect", ""]],
      [["Sec-WebSocket-Extensions", ""]],
    ),
    rejected(
      "H39",
      "This holds for headers that a handshake needs: an empty Connection or Sec-WebSocket-Key gets 400.",
      400,
      {},
      applications,
      [["Connection", ""]],
      [["Sec-WebSocket-Key", ""]],
    ),
    rejected(
      "H40",
      "An empty Upgrade or Sec-WebSocket-Version gets 426.",
      426,
      {},
      applications,
      [["Upgrade", ""]],
      [["Sec-WebSocket-Version", ""]],
    ),
    {
      id: "H42",
      statement: "A handshake with 100 headers is served. One with more gets 431, and no hook runs.",
      limits: needsWire,
      async run(t) {
        // Five are the handshake's own.
        equal((await raw(t, many(95))).response.status, 101);
        await t.until("upgrade", (entry) => entry.done === "upgrade");
        for (const count of [96, 120]) equal((await raw(t, many(count))).response.status, 431, `${count + 5} headers`);
        await t.barrier("second");
        equal(t.entries().filter((entry) => entry.hook === "upgrade").length, 2, "runs of upgrade");
      },
    },
    {
      id: "H43",
      statement: "A handshake with 190 headers, or with a head of 70 kB, also gets 431, and no hook runs.",
      limits: { ...needsWire, deno: "P47" },
      async run(t) {
        const statuses = [many(185), [["X-Long", "x".repeat(70_000)] as const]].map(
          async (headers) => (await raw(t, headers)).response.status,
        );
        deepEqual(await Promise.all(statuses), [431, 431]);
        await t.barrier("second");
      },
    },
    {
      id: "H41",
      statement: "A handshake over the wire with only Upgrade gets 400, and no hook runs.",
      limits: { ...needsWire, ...applications, workers: "P43", durable: "P43", evicted: "P43" },
      async run(t) {
        const headers: HeaderList = [
          ["Connection", null],
          ["Sec-WebSocket-Key", null],
          ["Sec-WebSocket-Version", null],
        ];
        const { response } = await raw(t, headers);
        // A plain Worker is told of it after five seconds.
        const isClosed = (): boolean => t.entries().some((entry) => entry.done === "close");
        for (let wait = 0; wait < 100 && response.status === 426 && !isClosed(); wait++)
          await new Promise((resolve) => setTimeout(resolve, 100));
        const hooks = t
          .entries()
          .flatMap(({ hook, code }) => (hook === undefined ? [] : [`${hook}${code === undefined ? "" : ` ${code}`}`]));
        equal(`${response.status}: ${hooks.join(", ")}`, "400: ");
      },
    },
  ],
};

/** Headers that mean nothing. */
function many(count: number): HeaderList {
  return Array.from({ length: count }, (_, index) => [`X-${index}`, "x"] as const);
}

export const subprotocol: Chapter = {
  letter: "S",
  title: "Subprotocols",
  cases: [
    {
      id: "S1",
      statement: "The server selects its own first preference among the offered subprotocols, whatever the client's order.",
      async run(t) {
        for (const [offer, selected] of [
          ["v1, v2", "v2"],
          ["v2, v1", "v2"],
          ["v1", "v1"],
          ["x, v1, y", "v1"],
        ] as const) {
          const peer = await t.connect({ on: "protocols", headers: [["Sec-WebSocket-Protocol", offer]], open: [["inspect"]] });
          equal(peer.protocol, selected, offer);
          equal((await t.did(peer, "inspect"))["protocol"], selected);
        }
      },
    },
    {
      id: "S2",
      statement:
        "If the client offers only unsupported subprotocols, the handshake is accepted with none selected, never with the runtime's own choice.",
      async run(t) {
        for (const on of ["protocols", "main"] as const) {
          const peer = await t.connect({ on, headers: [["Sec-WebSocket-Protocol", "x, y"]], open: [["inspect"]] });
          deepEqual(peer.headers("sec-websocket-protocol"), []);
          equal((await t.did(peer, "inspect"))["protocol"], "");
          await peer.send("hello");
          await expectTexts(peer, "hello");
        }
      },
    },
    {
      id: "S3",
      statement: "If the client offers no subprotocol, none is selected.",
      async run(t) {
        const peer = await t.connect({ on: "protocols" });
        deepEqual(peer.headers("sec-websocket-protocol"), []);
      },
    },
    {
      id: "S4",
      statement: "With `requireProtocol`, a client that offers none of them gets 400.",
      async run(t) {
        equal((await t.refused({ on: "strict" })).status, 400);
        equal((await t.refused({ on: "strict", headers: [["Sec-WebSocket-Protocol", "x"]] })).status, 400);
        equal((await t.connect({ on: "strict", headers: [["Sec-WebSocket-Protocol", "x, v1"]] })).protocol, "v1");
      },
    },
    {
      id: "S5",
      statement: "A subprotocol list that is malformed, has an empty element or repeats a name gets 400.",
      async run(t) {
        for (const list of ["a b", "a, a", "a,,b", ",", "a@b", "a;q=1"]) {
          equal((await t.refused({ on: "protocols", headers: [["Sec-WebSocket-Protocol", list]] })).status, 400, list);
        }
      },
    },
    {
      id: "S6",
      statement: "Several Sec-WebSocket-Protocol headers are one list.",
      limits: needsWire,
      async run(t) {
        const client = await t.handshake({
          on: "protocols",
          headers: [
            ["Sec-WebSocket-Protocol", "x"],
            ["Sec-WebSocket-Protocol", "v1"],
          ],
        });
        equal(client.response.status, 101);
        equal(client.response.header("sec-websocket-protocol"), "v1");
      },
    },
    {
      id: "S7",
      statement: '`upgrade` may select another of the offered subprotocols, also after an await, or none with "".',
      async run(t) {
        for (const sleep of [[], [["sleep", 20] as const]]) {
          for (const [protocol, header] of [
            ["v1", ["v1"]],
            ["x", ["x"]],
            ["", []],
          ] as const) {
            const peer = await t.connect({
              on: "protocols",
              headers: [["Sec-WebSocket-Protocol", "v2, v1, x"]],
              upgrade: [...sleep, ["accept", { protocol }]],
              open: [["inspect"]],
            });
            deepEqual(peer.headers("sec-websocket-protocol"), header);
            equal((await t.did(peer, "inspect"))["protocol"], protocol);
          }
        }
      },
    },
    {
      id: "S9",
      statement: "An offer with an empty value counts as no offer.",
      async run(t) {
        for (const on of ["protocols", "main"] as const) {
          const peer = await t.connect({ on, headers: [["Sec-WebSocket-Protocol", ""]], open: [["inspect"]] });
          deepEqual(peer.headers("sec-websocket-protocol"), []);
          equal((await t.did(peer, "inspect"))["protocol"], "");
          await peer.send("hello");
          await expectTexts(peer, "hello");
        }
        equal((await t.refused({ on: "strict", headers: [["Sec-WebSocket-Protocol", ""]] })).status, 400);
      },
    },
    {
      id: "S8",
      statement: "The list may contain no white space.",
      async run(t) {
        const peer = await t.connect({ on: "protocols", headers: [["Sec-WebSocket-Protocol", "x,v1,v2"]] });
        deepEqual(peer.headers("sec-websocket-protocol"), ["v2"]);
      },
    },
  ],
};
