/** Bytes of frames, each bit of them from the seed. */
import { encodeFrame, Opcode, type Frame } from "../wire/frames.ts";
import type { Build } from "./build.ts";
import type { Random } from "./random.ts";

/** Deterministic, unlike `encodeFrame`'s own mask: what is done to these bytes later must hit the same bits. */
export function frameOf(random: Random, given: Frame): Buffer {
  if (given.masked === false) return encodeFrame(given);
  const plain = encodeFrame({ ...given, masked: false });
  const extended = [2, 8][(plain[1]! & 0x7f) - 126] ?? 0;
  const [head, payload, key] = [plain.subarray(0, 2 + extended), Buffer.from(plain.subarray(2 + extended)), random.bytes(4)];
  head[1]! |= 0x80;
  for (let index = 0; index < payload.length; index++) payload[index]! ^= key[index & 3]!;
  return Buffer.concat([head, key, payload]);
}

export function frame({ random }: Build, given: Frame): Buffer {
  return frameOf(random, given);
}

/** A frame, or the frames of one message, that any server takes. */
export function legalFrame(build: Build): Buffer {
  const { random } = build;
  build.frames++;
  return random.pick([
    () => frame(build, { opcode: Opcode.text, payload: random.text(random.int(0, 300)) }),
    () => frame(build, { opcode: Opcode.binary, payload: random.bytes(random.int(0, 300)) }),
    () => frame(build, { opcode: Opcode.ping, payload: random.bytes(random.int(0, 125)) }),
    () => frame(build, { opcode: Opcode.pong, payload: random.bytes(random.int(0, 125)) }),
    () => fragments(build, random.int(2, 5)),
  ])();
}

/** A message of letters, each fragment one of them, with control frames in between. */
export function fragments(build: Build, count: number): Buffer {
  build.frames += count;
  const parts = Array.from({ length: count }, (_, index) => {
    const part = frame(build, { opcode: index === 0 ? Opcode.text : Opcode.continuation, payload: "f", fin: index === count - 1 });
    return build.random.chance(0.05) ? Buffer.concat([frame(build, { opcode: Opcode.ping, payload: "p" }), part]) : part;
  });
  return Buffer.concat(parts);
}
