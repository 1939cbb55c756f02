import { deepEqual, equal } from "node:assert/strict";
import { needsWire, type Case, type Chapter, type Context, type Peer } from "../support/case.ts";
import type { LimitId } from "../support/limits.ts";
import { Opcode, closePayload, encodeFrame } from "../wire/frames.ts";

interface Violation {
  readonly statement: string;
  readonly code: number;
  /** Each on a connection of its own. */
  readonly variants: readonly Uint8Array[];
  /** Where the wire shows something else, and where the hook is told something else. */
  readonly wire?: Case["limits"];
  readonly hook?: Case["limits"];
}

/** A good message first: the connection has proved to work, on an object too. Then the broken bytes. */
async function broken(t: Context, bytes: Uint8Array): Promise<Peer> {
  const peer = await t.connect();
  await peer.send("good");
  deepEqual(await peer.next(), { type: "text", data: "good" });
  peer.wire.write(bytes);
  return peer;
}

/** What the client sees. The reason is the runtime's own, where the runtime answers. */
function onTheWire({ statement, code, variants, wire }: Violation, index: number): Case {
  return {
    id: `V${index + 1}`,
    statement: `${statement}: the client sees a close with ${code}.`,
    limits: { ...needsWire, ...wire },
    async run(t) {
      for (const [variant, bytes] of variants.entries()) {
        const event = await (await broken(t, bytes)).next();
        const seen = { type: event.type, code: event.type === "close" ? event.code : undefined };
        deepEqual(seen, { type: "close", code }, `variant ${variant + 1}`);
      }
      await t.barrier();
    },
  };
}

/** What the handler is told: nothing of the broken message, and a close by the server. */
function inTheHook({ statement, code, variants, hook }: Violation, index: number): Case {
  return {
    id: `V${index + 31}`,
    statement: `${statement}: no message; the close hook gets ${code}, initiator "server".`,
    limits: { ...needsWire, ...hook },
    async run(t) {
      for (const [variant, bytes] of variants.entries()) {
        const peer = await broken(t, bytes);
        deepEqual(await t.closing(peer), { code, reason: "", initiator: "server" }, `variant ${variant + 1}`);
        equal(t.entries(peer).filter((entry) => entry.hook === "message").length, 1, `variant ${variant + 1}`);
      }
      await t.barrier();
    },
  };
}

const onDeno = { deno: "P13" } as const;
const unmasked = { deno: "P14", workers: "P14", durable: "P14", evicted: "P14" } as const;
const onWorkerd = <Id extends LimitId>(id: Id): Record<"workers" | "durable" | "evicted", Id> => ({
  workers: id,
  durable: id,
  evicted: id,
});

const { continuation, text, binary, close, ping, pong } = Opcode;
const frame = encodeFrame;
const invalid = (bytes: number[]): Uint8Array => frame({ opcode: text, payload: Uint8Array.from(bytes) });

const all: readonly Violation[] = [
  {
    statement: "Text that is not UTF-8 (a stray byte, an overlong form, a surrogate, more than U+10FFFF, a cut sequence)",
    code: 1007,
    variants: [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x61, 0xe2, 0x82]].map(invalid),
    wire: { ...onDeno, ...onWorkerd("P15") },
    hook: onWorkerd("P15"),
  },
  {
    statement: "Fragments that together are not UTF-8",
    code: 1007,
    variants: [
      Buffer.concat([frame({ opcode: text, fin: false, payload: Uint8Array.of(0xe2) }), frame({ opcode: continuation, payload: "a" })]),
    ],
    wire: { ...onDeno, ...onWorkerd("P15") },
    hook: onWorkerd("P15"),
  },
  {
    statement: "A frame without a mask",
    code: 1002,
    variants: [frame({ opcode: text, masked: false, payload: "bare" }), frame({ opcode: binary, masked: false })],
    wire: unmasked,
    hook: unmasked,
  },
  {
    statement: "A reserved bit",
    code: 1002,
    variants: [1, 2, 4].map((rsv) => frame({ opcode: text, rsv, payload: "x" })),
    wire: { ...onDeno, ...onWorkerd("P16") },
  },
  {
    statement: "A reserved opcode",
    code: 1002,
    variants: [3, 7, 11, 15].map((opcode) => frame({ opcode, payload: "x" })),
    wire: onDeno,
  },
  {
    statement: "A continuation without a beginning",
    code: 1002,
    variants: [frame({ opcode: continuation, payload: "x" }), frame({ opcode: continuation, fin: false, payload: "x" })],
    wire: onDeno,
  },
  {
    statement: "A new message inside a fragmented one",
    code: 1002,
    variants: [Buffer.concat([frame({ opcode: text, fin: false, payload: "x" }), frame({ opcode: text, payload: "y" })])],
    wire: onDeno,
  },
  {
    statement: "A control frame in fragments",
    code: 1002,
    variants: [ping, pong].map((opcode) => frame({ opcode, fin: false, payload: "x" })),
    wire: onDeno,
  },
  {
    statement: "A control frame of more than 125 bytes",
    code: 1002,
    variants: [ping, pong].map((opcode) => frame({ opcode, payload: "x".repeat(126) })),
    wire: { ...onDeno, ...onWorkerd("P16") },
    hook: { ...onWorkerd("P16"), deno: "P19" },
  },
  {
    statement: "A close frame of one byte",
    code: 1002,
    variants: [frame({ opcode: close, payload: Uint8Array.of(3) })],
    wire: { ...onDeno, ...onWorkerd("P17") },
    hook: onWorkerd("P17"),
  },
  {
    statement: "A close frame with a code that no endpoint may send",
    code: 1002,
    variants: [0, 999, 1004, 1006, 1015, 1016, 2999, 5000].map((code) => frame({ opcode: close, payload: closePayload(code) })),
  },
  {
    statement: "A close frame with the code 1005",
    code: 1002,
    variants: [frame({ opcode: close, payload: closePayload(1005) })],
    wire: onWorkerd("P17"),
    hook: onWorkerd("P17"),
  },
  {
    statement: "A close frame whose reason is not UTF-8",
    code: 1007,
    variants: [frame({ opcode: close, payload: Buffer.concat([closePayload(1000), Uint8Array.of(0xff, 0xfe)]) })],
    wire: { ...onDeno, ...onWorkerd("P17") },
    hook: onWorkerd("P17"),
  },
  {
    statement: "A length of 2^63 bytes or more",
    code: 1009,
    variants: [Buffer.concat([Uint8Array.of(0x82, 0xff), Buffer.alloc(8, 0xff), Buffer.alloc(4)])],
    wire: onDeno,
  },
];

/** With a close frame in between, or without one on Deno: P13. */
const afterwards: Case = {
  id: "V51",
  statement:
    "After a broken frame (a reserved opcode, a continuation without a beginning, a length of 2^63) TCP ends once the client has answered the close.",
  limits: { ...needsWire, durable: "P24", evicted: "P24" },
  async run(t) {
    const frames = [
      frame({ opcode: 3, payload: "x" }),
      frame({ opcode: continuation, payload: "x" }),
      Buffer.concat([Uint8Array.of(0x82, 0xff), Buffer.alloc(8, 0xff), Buffer.alloc(4)]),
    ];
    for (const bytes of frames) {
      const peer = await broken(t, bytes);
      let event = await peer.next();
      if (event.type === "close") event = await peer.next();
      equal(event.type, "end");
    }
  },
};

export const violations: Chapter = { letter: "V", title: "Violations", cases: [...all.map(onTheWire), ...all.map(inTheHook), afterwards] };
