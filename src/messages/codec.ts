/**
 * How frames are encoded. Text is always JSON; a binary message uses the codec that the subprotocol names. So every client can read
 * JSON, and a message for clients with several codecs is encoded once.
 */
import type { Data } from "../api/connection.ts";
import { MessageError } from "./error.ts";
import { badFrame } from "./frame.ts";

/** A way to encode frames. `json` is one; `edgewire/msgpack` has another. */
export interface Codec {
  /** The subprotocol that selects it: an RFC 9110 token. */
  readonly protocol: string;
  /** @throws any error if the value can't be encoded: the sender's mistake. */
  encode(frame: object): Data;
  /** Decodes a binary message. @throws MessageError `bad-frame`, or any error, if the bytes are not a frame. */
  decode(bytes: Uint8Array<ArrayBuffer>): unknown;
}

/** Frames as JSON text: the codec without `codecs`. */
export const json: Codec = {
  protocol: "edgewire.json.1",
  encode: (frame) => JSON.stringify(frame),
  decode() {
    throw badFrame("a binary message, on a connection whose codec is JSON");
  },
};

/** The codec of a connection, by its subprotocol; JSON in text if none was selected. */
export function codecOf(codecs: readonly Codec[], protocol: string): Codec {
  return codecs.find((codec) => codec.protocol === protocol) ?? json;
}

/** @throws MessageError `bad-frame`. */
export function decode(codec: Codec, data: Data): unknown {
  try {
    return typeof data === "string" ? JSON.parse(data) : codec.decode(data);
  } catch (error) {
    if (error instanceof MessageError) throw error;
    throw badFrame(typeof data === "string" ? "not JSON" : `not ${codec.protocol}`);
  }
}
