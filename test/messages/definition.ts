/** What the application's two sides share: a page imports it, and nothing of the server. */
import { defineMessages, json } from "edgewire/messages";
import { msgpack } from "edgewire/msgpack";
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";

export const messages = defineMessages({
  codecs: [msgpack, json],
  toServer: {
    say: z.object({ text: z.string().min(1).max(280) }),
    // An asynchronous schema: what comes after it waits.
    whisper: v.pipeAsync(
      v.objectAsync({ to: v.string(), text: v.string() }),
      v.checkAsync(async ({ to }) => (await Promise.resolve(to)) !== "nobody", "nobody is there"),
    ),
    leave: z.undefined(),
    consider: z.object({ what: z.string(), deadline: z.int().optional(), wait: z.int().default(0) }),
  },
  toClient: {
    said: z.object({ from: z.string(), text: z.string() }),
    whispered: type({ text: "string" }),
    noted: v.object({ what: v.string() }),
    left: z.undefined(),
    confirm: { payload: v.object({ what: v.string() }), result: z.boolean() },
  },
  requests: {
    sum: { payload: type("(number | string.numeric.parse)[] <= 10"), result: z.number() },
    echo: { payload: z.unknown(), result: z.unknown() },
    slow: { payload: z.undefined(), result: z.never() },
    refuse: { payload: v.object({ code: v.string() }), result: z.never() },
    fail: { payload: z.undefined(), result: z.never() },
    relay: { payload: z.object({ what: z.string() }), result: z.boolean() },
    count: { payload: z.object({ to: z.int() }), item: z.number() },
    endless: { payload: z.undefined(), item: z.number() },
    breaks: { payload: z.undefined(), item: z.number() },
  },
});
