/** What the cursors' server and its pages say to each other. */
import { defineMessages, presence } from "edgewire/messages";
import * as v from "valibot";

/** A part of the page's width or height. */
const part = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const place = { x: part, y: part };

export const name = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(32));

export const messages = defineMessages({
  toServer: {
    named: v.object({ name }),
    moved: v.object(place),
  },
  toClient: {
    welcome: v.object({ you: v.string() }),
    moved: v.object({ who: v.string(), ...place }),
  },
  presence: presence(v.object({ name: v.string() })),
});
