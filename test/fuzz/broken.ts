/** Every way in which RFC 6455 section 5 obliges the server to fail the connection. */
import { closePayload, Opcode } from "../wire/frames.ts";
import type { Build } from "./build.ts";
import { frame } from "./frames.ts";
import type { Cause } from "./plan.ts";

export function broken(build: Build): readonly [Cause, Buffer] {
  const { random } = build;
  const data = random.pick([Opcode.text, Opcode.binary]);
  const control = random.pick([Opcode.ping, Opcode.pong, Opcode.close]);
  const payload = random.text(random.int(0, 100));
  const begun = frame(build, { opcode: data, payload, fin: false });
  const notUtf8 = random.pick([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x61, 0xe2, 0x82]]);
  const all: readonly (readonly [Cause, () => Buffer])[] = [
    ["reserved bits", () => frame(build, { opcode: data, payload, rsv: random.pick([1, 2, 3]) })],
    ["reserved opcode", () => frame(build, { opcode: random.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), payload })],
    ["unmasked frame", () => frame(build, { opcode: data, payload, masked: false })],
    [
      "long control frame",
      () => frame(build, { opcode: random.pick([Opcode.ping, Opcode.pong]), payload: "l".repeat(random.int(126, 300)) }),
    ],
    ["fragmented control frame", () => frame(build, { opcode: control, payload: control === Opcode.close ? "" : "x", fin: false })],
    ["continuation of nothing", () => frame(build, { opcode: Opcode.continuation, payload, fin: random.chance(0.5) })],
    ["message inside a message", () => Buffer.concat([begun, frame(build, { opcode: data, payload })])],
    ["length over 2^63", () => lengthOf(build, 2n ** 63n + BigInt(random.int(0, 1000)))],
    ["length over every limit", () => lengthOf(build, BigInt(random.pick([2 ** 31, 2 ** 32, 2 ** 40, 2 ** 53])))],
    ["message over maxPayload", () => frame(build, { opcode: data, payload: "b".repeat(random.int(1001, 70_000)) })],
    ["text that is no UTF-8", () => frame(build, { opcode: Opcode.text, payload: Buffer.from(notUtf8) })],
    ["close of one byte", () => frame(build, { opcode: Opcode.close, payload: "c" })],
    [
      "close with a bad code",
      () =>
        frame(build, { opcode: Opcode.close, payload: closePayload(random.pick([0, 999, 1004, 1005, 1006, 1015, 2000, 5000, 65_535])) }),
    ],
    ["close with a reason that is no UTF-8", () => frame(build, { opcode: Opcode.close, payload: Buffer.from([3, 0xe8, ...notUtf8]) })],
  ];
  const [cause, make] = random.pick(all);
  return [cause, make()];
}

/** A frame that claims this length and has a few bytes. */
function lengthOf({ random }: Build, length: bigint): Buffer {
  const head = Buffer.alloc(10);
  head[0] = 0x82;
  head[1] = 0xff;
  head.writeBigUInt64BE(length, 2);
  return Buffer.concat([head, random.bytes(random.int(4, 100))]);
}
