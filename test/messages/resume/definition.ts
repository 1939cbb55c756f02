/** Numbers that are added to a log, and who is in the room. */
import { defineMessages, json, presence } from "edgewire/messages";
import { msgpack } from "edgewire/msgpack";
import { z } from "zod";

const definition = {
  toServer: {
    /** Adds so many numbers to the log, in one turn. */
    add: z.number(),
    /** Subscribes to the log, for a client that did not ask for it with its handshake. */
    join: z.undefined(),
    mood: z.string(),
  },
  toClient: { number: z.object({ number: z.number(), of: z.string() }) },
  presence: presence(z.object({ mood: z.string() })),
};

export const messages = defineMessages({ ...definition, codecs: [msgpack, json] });
/** Everything in MessagePack, what is published too. */
export const packed = defineMessages({ ...definition, codecs: [msgpack] });
