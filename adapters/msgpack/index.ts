/**
 * The MessagePack codec of edgewire/messages, over msgpackr.
 *
 * Bytes from outside are gone through before msgpackr sees them: it allocates each array as long as its header says, at every level
 * (kriszyp/msgpackr#200), and it knows extensions that make references, errors and regular expressions.
 */
import { Packr } from "msgpackr";
import type { Codec } from "../../src/messages/codec.ts";
import { checkBytes } from "./check.ts";

const options = {
  // Plain maps, in their shortest form, and no extension but the timestamp: what every other implementation reads.
  useRecords: false,
  variableMapSize: true,
  int64AsType: "number",
  // As JSON does it: a field that is undefined is left out, an item that is undefined is null.
  skipValues: [undefined],
  encodeUndefinedAsNil: true,
  // Bytes in a payload have memory of their own, as messages do.
  copyBuffers: true,
} as const;

const packr = new Packr(options);

/** MessagePack, by the subprotocol `edgewire.msgpack.1`: what JSON can carry, and bytes (Uint8Array) and dates. Needs `msgpackr`. */
export const msgpack: Codec = {
  protocol: "edgewire.msgpack.1",
  // A copy: msgpackr's result is a view of a buffer that it goes on filling.
  encode: (frame) => new Uint8Array(packr.pack(frame)),
  decode(bytes) {
    checkBytes(bytes);
    // Of a Buffer, msgpackr would make Buffers.
    return packr.unpack(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as unknown;
  },
};
