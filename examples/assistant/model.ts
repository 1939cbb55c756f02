/**
 * A fake model: it says the same of the same question, a few words at a time, and goes on from any text that it has begun. Asked to tell it "at length",
 * it takes a minute and a half.
 */

/** Milliseconds between two parts. */
const pace = 120;
/** Words of one part. On Cloudflare a part is a row, so a real model's tokens are better gathered, too. */
const words = 3;

const openings = ["A good question.", "Let me think aloud.", "In short, it depends; at length, it goes like this."];
const sentences = [
  "Every message that is published to a topic with a history gets a number, and the number is what both sides count by.",
  "A connection that is cut is not over: the server keeps what is sent meanwhile, and the client keeps what it could not send.",
  "When they meet again, the client says what it has, and the server goes on with the next one.",
  "Nothing is sent twice because nobody guesses: a part that arrived is known to have arrived.",
  "A second device reads the same log from its beginning, and catches up with the first one while the text is still growing.",
  "If the process is killed, the text so far is in its file, and whoever writes on begins where the text ends.",
];

/** The rest of the answer. A real model is given the question and the text so far, and continues it. */
export async function* answer(prompt: string, soFar: string): AsyncGenerator<string, void, undefined> {
  const rest = textFor(prompt).slice(soFar.length);
  for (const [part] of rest.matchAll(new RegExp(`(?:\\s*\\S+){1,${words}}\\s*`, "g"))) {
    await new Promise((resolve) => setTimeout(resolve, pace));
    yield part;
  }
}

export function textFor(prompt: string): string {
  let hash = 0;
  for (const letter of prompt) hash = (Math.imul(hash, 31) + (letter.codePointAt(0) ?? 0)) >>> 0;
  const first = hash % sentences.length;
  const chosen = Array.from(sentences, (_, index) => sentences[(first + index) % sentences.length]);
  const rounds = Array.from({ length: /\bat length\b/i.test(prompt) ? 20 : 1 }, () => chosen.join(" "));
  return `${openings[hash % openings.length]} You asked: “${prompt}” ${rounds.join("\n\n")}`;
}
