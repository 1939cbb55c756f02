// What is said, in either direction. The page loads this file as it is, and the server imports it: both have its types.
import { defineMessages } from "edgewire/messages";
import * as v from "valibot";

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(500));

export const messages = defineMessages({
  toServer: { say: v.object({ text }) },
  toClient: { said: v.object({ from: v.string(), text }) },
  requests: { people: { payload: v.undefined(), result: v.array(v.string()) } },
});
