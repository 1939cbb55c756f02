/**
 * The messages between the chat's server and its clients, defined once for the handler, the page and the terminal. Valibot, because the page's
 * Content-Security-Policy forbids `eval`. Frames are JSON, so a client without Edgewire needs only four lines (clients/).
 */
import { defineMessages, presence } from "edgewire/messages";
import * as v from "valibot";

const person = v.object({ id: v.string(), name: v.string() });
const picture = { media: v.string(), data: v.pipe(v.string(), v.base64()) };

/**
 * The sender's own name for a line: it recognizes its line when everyone gets it, and a line that is sent again is shown once. A client that
 * needs neither leaves it out.
 */
const line = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

export type Person = v.InferOutput<typeof person>;

export const messages = defineMessages({
  toServer: {
    // The client is writing. It says so again every few seconds, for as long as it does.
    typing: v.undefined(),
    // The client wants to be told again who is here.
    who: v.undefined(),
    // Which node of several serves it now?
    where: v.undefined(),
  },
  toClient: {
    // Where several nodes serve the chat, with the name of the one that does.
    welcome: v.object({ you: person, node: v.optional(v.string()) }),
    here: v.object({ node: v.string() }),
    said: v.object({ line, from: person, text: v.string() }),
    showed: v.object({ line, from: person, ...picture }),
    // To the sender, when everyone else gets `showed`: a picture need not travel back.
    shown: v.object({ line }),
    typing: v.object({ who: person }),
    announced: v.object({ text: v.string() }),
  },
  // Requests, so that a client knows what was refused. The server refuses with the code "refused" and a sentence to show to the user.
  requests: {
    say: { payload: v.object({ line: v.optional(line), text: v.string() }), result: v.undefined() },
    show: { payload: v.object({ line: v.optional(line), data: picture.data }), result: v.undefined() },
  },
  presence: presence(v.object({ name: v.string() })),
});

/** Limits in code points, which is roughly how people count characters. */
export const limits = { name: 32, room: 48, text: 2000 } as const;

/** The supported media types, and the bytes with which such a file begins ("" stands for any byte). */
const signatures: readonly (readonly [media: string, start: readonly (number | "")[]])[] = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38]],
  ["image/webp", [0x52, 0x49, 0x46, 0x46, "", "", "", "", 0x57, 0x45, 0x42, 0x50]],
];

/** Detects the media type of a base64 image by its first bytes, whatever the sender claims; undefined if it is not supported. */
export function mediaType(data: string): string | undefined {
  const bytes = atob(data.slice(0, 16));
  return signatures.find(([, start]) => start.every((byte, at) => byte === "" || bytes.charCodeAt(at) === byte))?.[0];
}

/** Normalizes a person's or a room's name: trims it, and replaces inner white space by single spaces. */
export function tidy(text: string): string {
  return text.replace(/\s+/gu, " ").trim();
}

/** Explains to the user what is wrong with a name or a room; undefined if both are valid. */
export function problemWith(name: string, room: string): string | undefined {
  return problemWithOne("name", name, limits.name) ?? problemWithOne("room", room, limits.room);
}

function problemWithOne(what: "name" | "room", text: string, limit: number): string | undefined {
  if (text === "") return `Choose a ${what}.`;
  if ([...text].length > limit) return `This ${what} is too long: ${[...text].length} characters, and ${limit} is the most.`;
  if (/\p{Cc}/u.test(text) || !text.isWellFormed()) return `This ${what} has characters that can't be shown.`;
  return undefined;
}
