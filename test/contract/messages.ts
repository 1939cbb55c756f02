import { deepEqual, equal, ok } from "node:assert/strict";
import type { Chapter } from "../support/case.ts";
import { needsWire } from "../support/case.ts";
import { Opcode, encodeFrame } from "../wire/frames.ts";
import { expectClose, expectTexts } from "../support/peer.ts";
import type { Odd } from "../support/script.ts";

export const messages: Chapter = {
  letter: "M",
  title: "Messages",
  cases: [
    {
      id: "M1",
      statement: "A text message arrives as the string that was sent, whatever its characters.",
      async run(t) {
        const peer = await t.connect();
        for (const text of ["hello", "ÿ€😀", "\ufeffwith a BOM", "a\u0000b", '{"json":1}', " "]) {
          await peer.send(text);
          await expectTexts(peer, text);
        }
      },
    },
    {
      id: "M2",
      statement: "A binary message arrives as a Uint8Array of the bytes that were sent, with a buffer of its own.",
      async run(t) {
        const peer = await t.connect();
        await peer.send(new Uint8Array([0, 255, 1, 128]));
        deepEqual(await peer.next(), { type: "binary", data: Buffer.from([0, 255, 1, 128]) });
        deepEqual((await t.hook(peer, "message"))["data"], { hex: "00ff0180", length: 4, alone: true });
      },
    },
    {
      id: "M3",
      statement: "Empty text messages and empty binary messages are delivered.",
      async run(t) {
        const peer = await t.connect();
        await peer.send("");
        await expectTexts(peer, "");
        await peer.send(new Uint8Array());
        deepEqual(await peer.next(), { type: "binary", data: Buffer.alloc(0) });
        deepEqual((await t.hook(peer, "message", 1))["data"], { text: "", length: 0 });
        deepEqual((await t.hook(peer, "message", 2))["data"], { hex: "", length: 0, alone: true });
      },
    },
    {
      id: "M4",
      statement: "Messages of 125, 126, 65 535 and 65 536 bytes (the limits of the length field's forms) arrive whole, text and binary.",
      async run(t) {
        const peer = await t.connect();
        for (const size of [1, 125, 126, 127, 65_535, 65_536, 65_537]) {
          await peer.send("x".repeat(size));
          await expectTexts(peer, "x".repeat(size));
          await peer.send(pattern(size));
          deepEqual(await peer.next(), { type: "binary", data: pattern(size) });
        }
      },
    },
    {
      id: "M5",
      statement: "A message of exactly 1 MiB, the default maxPayload, is echoed as text and as binary.",
      async run(t) {
        const peer = await t.connect();
        const text = "é".repeat(MiB / 2);
        await peer.send(text);
        const echoed = await peer.next();
        ok(echoed.type === "text" && echoed.data === text, "the text came back changed");
        await peer.send(pattern(MiB));
        const binary = await peer.next();
        ok(binary.type === "binary" && binary.data.equals(pattern(MiB)), "the bytes came back changed");
      },
    },
    {
      id: "M6",
      statement: "A message one byte over maxPayload, counted in UTF-8 bytes, closes with 1009 and is not delivered.",
      async run(t) {
        for (const data of ["é".repeat(500) + "x", new Uint8Array(1001)]) {
          const peer = await t.connect({ on: "tight" });
          await peer.send("é".repeat(500));
          await expectTexts(peer, "é".repeat(500));
          await peer.send(data);
          equal(((await peer.next()) as { code?: number }).code, 1009);
          const { code, initiator } = await t.closing(peer);
          deepEqual({ code, initiator }, { code: 1009, initiator: "server" });
          equal(t.entries(peer).filter((entry) => entry.hook === "message").length, 1);
        }
      },
    },
    {
      id: "M7",
      statement: "A message one byte over the default maxPayload of 1 MiB closes with 1009.",
      async run(t) {
        const peer = await t.connect();
        await peer.send(new Uint8Array(MiB + 1));
        equal(((await peer.next()) as { code?: number }).code, 1009);
        const { code, initiator } = await t.closing(peer);
        deepEqual({ code, initiator }, { code: 1009, initiator: "server" });
      },
    },
    {
      id: "M8",
      statement: "A fragmented message is delivered once, whole. Control frames between its fragments are answered.",
      limits: needsWire,
      async run(t) {
        const peer = await t.connect();
        peer.wire.frame({ opcode: Opcode.text, fin: false, payload: "one " });
        peer.wire.frame({ opcode: Opcode.ping, payload: "between" });
        peer.wire.frame({ opcode: Opcode.continuation, fin: false, payload: "" });
        peer.wire.frame({ opcode: Opcode.continuation, payload: "two" });
        deepEqual(await peer.next(), { type: "pong", data: Buffer.from("between") });
        await expectTexts(peer, "one two");
        await t.barrier();
        equal(t.entries(peer).filter((entry) => entry.hook === "message").length, 1);
      },
    },
    {
      id: "M9",
      statement: "A message in 3 000 fragments is delivered whole.",
      limits: needsWire,
      async run(t) {
        const peer = await t.connect();
        const first = encodeFrame({ opcode: Opcode.text, fin: false, payload: "a" });
        const middle = encodeFrame({ opcode: Opcode.continuation, fin: false, payload: "b" });
        const last = encodeFrame({ opcode: Opcode.continuation, payload: "c" });
        peer.wire.write(Buffer.concat([first, ...Array.from({ length: 2998 }, () => middle), last]));
        await expectTexts(peer, `a${"b".repeat(2998)}c`);
      },
    },
    {
      id: "M18",
      statement: "A message in 16 000 fragments of one byte is delivered whole.",
      limits: needsWire,
      async run(t) {
        const peer = await t.connect();
        const first = encodeFrame({ opcode: Opcode.text, fin: false, payload: "a" });
        const middle = encodeFrame({ opcode: Opcode.continuation, fin: false, payload: "b" });
        const last = encodeFrame({ opcode: Opcode.continuation, payload: "c" });
        peer.wire.write(Buffer.concat([first, ...Array.from({ length: 15_998 }, () => middle), last]));
        await expectTexts(peer, `a${"b".repeat(15_998)}c`);
      },
    },
    {
      id: "M10",
      statement: "A character whose UTF-8 bytes are split between fragments arrives whole.",
      limits: needsWire,
      async run(t) {
        const peer = await t.connect();
        const bytes = Buffer.from("😀");
        peer.wire.frame({ opcode: Opcode.text, fin: false, payload: bytes.subarray(0, 2) });
        peer.wire.frame({ opcode: Opcode.continuation, payload: bytes.subarray(2) });
        await expectTexts(peer, "😀");
      },
    },
    {
      id: "M11",
      statement: "A ping is answered by a pong with the same payload. The handler sees neither pings nor pongs.",
      limits: needsWire,
      async run(t) {
        const peer = await t.connect();
        for (const payload of ["", "x", "p".repeat(125)]) {
          peer.wire.frame({ opcode: Opcode.ping, payload });
          deepEqual(await peer.next(), { type: "pong", data: Buffer.from(payload) });
        }
        peer.wire.frame({ opcode: Opcode.pong, payload: "unasked" });
        await peer.send("after");
        await expectTexts(peer, "after");
        await t.barrier();
        equal(t.entries(peer).filter((entry) => entry.hook === "message").length, 1);
      },
    },
    {
      id: "M12",
      statement: "`send` takes a string, an ArrayBuffer and any view, also of a SharedArrayBuffer: it sends the view's bytes.",
      async run(t) {
        const sent: readonly [Odd, number[]][] = [
          ["arrayBuffer", [1, 2, 3]],
          ["emptyBuffer", []],
          ["subarray", [1, 2, 3]],
          ["dataView", [1, 2, 3]],
          ["uint16", [1, 2, 3, 4]],
          ["sharedView", [1, 2, 3]],
        ];
        for (const [odd, bytes] of sent) {
          const peer = await t.connect({ open: [["send", { odd }]] });
          deepEqual(await peer.next(), { type: "binary", data: Buffer.from(bytes) }, odd);
          equal((await t.did(peer, "send"))["result"], "sent", odd);
        }
      },
    },
    {
      id: "M13",
      statement: "`send` of anything else throws a TypeError, sends nothing and leaves the connection open.",
      async run(t) {
        for (const odd of ["null", "undefined", "number", "bigint", "object", "array", "blob"] as const) {
          const peer = await t.connect({
            message: [
              ["send", { odd }],
              ["send", "next"],
            ],
          });
          await peer.send("go");
          await expectTexts(peer, "next");
          equal((await t.did(peer, "send"))["threw"], "TypeError", odd);
        }
      },
    },
    {
      id: "M14",
      statement: "`send` copies data before it returns: changing the data afterwards changes nothing.",
      async run(t) {
        const peer = await t.connect({ message: [["sendThenChange", [1, 2, 3]]] });
        await peer.send("go");
        deepEqual(await peer.next(), { type: "binary", data: Buffer.from([1, 2, 3]) });
      },
    },
    {
      id: "M15",
      statement: "A lone surrogate in a sent string arrives as U+FFFD.",
      async run(t) {
        const peer = await t.connect({ message: [["send", { odd: "loneSurrogate" }]] });
        await peer.send("go");
        await expectTexts(peer, "a\ufffdb");
      },
    },
    {
      id: "M16",
      statement: "Later messages don't change a message that the handler keeps.",
      async run(t) {
        const peer = await t.connect({ message: [["sleep", 20], ["echo"]] });
        const all = Array.from({ length: 20 }, (_, index) => new Uint8Array(64).fill(index));
        for (const data of all) await peer.send(data);
        for (const data of all) deepEqual(await peer.next(), { type: "binary", data: Buffer.from(data) });
      },
    },
    {
      id: "M17",
      statement: '`send` returns "sent", and "closed" once the connection is closing; neither throws.',
      async run(t) {
        const peer = await t.connect({
          message: [
            ["send", "one"],
            ["close", 4000],
            ["send", "two"],
          ],
          close: [["send", "three"]],
        });
        await peer.send("go");
        await expectTexts(peer, "one");
        await expectClose(peer, 4000);
        deepEqual((await t.did(peer, "send", 1))["result"], "sent");
        deepEqual((await t.did(peer, "send", 2))["result"], "closed");
        deepEqual((await t.did(peer, "send", 3))["result"], "closed");
      },
    },
  ],
};

const MiB = 1024 * 1024;

function pattern(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let index = 0; index < size; index++) bytes[index] = (index * 31) & 255;
  return bytes;
}
