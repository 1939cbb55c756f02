/** What the assistant's server and its pages say to each other. */
import { defineMessages } from "edgewire/messages";
import * as v from "valibot";

/** The client names its question: one that is asked twice, because nobody knew whether it had arrived, is one question. */
const id = v.pipe(v.string(), v.regex(/^[\w-]{8,64}$/));

export const longestPrompt = 2000;
const prompt = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(longestPrompt));

export const messages = defineMessages({
  toServer: {
    // Sends what there is of an answer, and what comes.
    follow: v.object({ id }),
    // It has been read to its end.
    leave: v.object({ id }),
    // Any device of the conversation may stop an answer.
    cancel: v.object({ id }),
  },
  toClient: {
    asked: v.object({ id, prompt: v.string() }),
    // `at` is the length of the text before it: a page that gets a part twice, in two sessions, shows it once.
    part: v.object({ id, at: v.number(), text: v.string() }),
    done: v.object({ id, why: v.picklist(["end", "cancelled"]) }),
  },
  // A request, because it may be refused. It resolves as soon as the question is kept; the answer is a topic of its own.
  requests: { ask: { payload: v.object({ id, prompt }), result: v.undefined() } },
});
