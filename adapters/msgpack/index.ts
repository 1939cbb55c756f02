/**
 * The MessagePack codec of edgewire/messages, based on msgpackr.
 *
 * Received bytes are checked before msgpackr decodes them. It allocates each array with the length in its header, at every level
 * (kriszyp/msgpackr#200), and supports extensions that create references, errors and regular expressions.
 */
import { Packr } from "msgpackr";
import type { Codec } from "../../src/messages/codec.ts";
import { checkBytes } from "./check.ts";

const options = {
  // Plain maps in their shortest form, and no extension but the timestamp: every other implementation can read that.
  useRecords: false,
  variableMapSize: true,
  int64AsType: "number",
  // As in JSON: undefined fields are omitted, undefined items become null.
  skipValues: [undefined],
  encodeUndefinedAsNil: true,
  // Bytes in a payload have their own memory, like messages.
  copyBuffers: true,
} as const;

const packr = new Packr(options);

/** MessagePack, with the subprotocol `edgewire.msgpack.1`. Carries what JSON can, plus bytes (Uint8Array) and dates. Needs the package `msgpackr`. */
export const msgpack: Codec = {
  protocol: "edgewire.msgpack.1",
  // A copy: msgpackr returns a view of a buffer that it keeps filling.
  encode: (frame) => new Uint8Array(packr.pack(frame)),
  decode(bytes) {
    checkBytes(bytes);
    // From a Buffer msgpackr would create Buffers, so pass a plain Uint8Array.
    return packr.unpack(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as unknown;
  },
};
