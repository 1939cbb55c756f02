/** What the page and its server say to each other. */
import { defineMessages, presence } from "edgewire/messages";
import * as v from "valibot";

export const messages = defineMessages({
  presence: presence(v.object({ typing: v.boolean() })),
  toServer: { say: v.object({ text: v.string() }) },
  toClient: { said: v.object({ text: v.string() }) },
  requests: {
    /** Answered after so many milliseconds. */
    echo: { payload: v.object({ text: v.string(), wait: v.optional(v.number(), 0) }), result: v.string() },
    /** Counts from 1, with so many milliseconds between; without an end unless `to` is given, and refuses to go beyond 100. */
    count: { payload: v.object({ to: v.optional(v.number(), Infinity), wait: v.optional(v.number(), 0) }), item: v.number() },
    refuse: { payload: v.undefined(), result: v.string() },
  },
});
