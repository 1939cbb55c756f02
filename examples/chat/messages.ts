/**
 * What travels between the chat's server and its clients: JSON text messages, and images as binary messages.
 *
 * - A client sends a `FromClient`, or the bytes of a PNG, JPEG, GIF or WebP file. The server answers each of these
 *   messages with `sent` or `refused`, in their order, so that a client knows what arrived without numbering anything.
 * - An image reaches the others as two messages, one directly after the other: an `image` that names its sender and media
 *   type, then the bytes as they came. A client that can't show images prints the first and ignores the second.
 */

export interface Person {
  readonly id: string;
  readonly name: string;
}

export type FromClient = { readonly type: "message"; readonly text: string };

export type FromServer =
  | { readonly type: "welcome"; readonly you: string; readonly people: readonly Person[] }
  | { readonly type: "join" | "leave"; readonly who: Person }
  | { readonly type: "message"; readonly from: Person; readonly text: string }
  | { readonly type: "image"; readonly from: Person; readonly media: string; readonly bytes: number }
  | { readonly type: "announcement"; readonly text: string }
  | { readonly type: "sent" }
  | { readonly type: "refused"; readonly reason: string };

/** Limits in characters as people count them, roughly: code points. */
export const limits = { name: 32, room: 48, text: 2000 } as const;

/** The media types the chat carries, and the bytes such a file begins with ("" stands for any byte). */
const signatures: readonly (readonly [media: string, start: readonly (number | "")[]])[] = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38]],
  ["image/webp", [0x52, 0x49, 0x46, 0x46, "", "", "", "", 0x57, 0x45, 0x42, 0x50]],
];

/** The media type of an image by its first bytes, whatever its sender calls it; undefined for anything else. */
export function mediaType(bytes: Uint8Array): string | undefined {
  return signatures.find(([, start]) => start.every((byte, at) => byte === "" || bytes[at] === byte))?.[0];
}

/** A name or a room as everyone sees it: trimmed, inner white space as single spaces. */
export function tidy(text: string): string {
  return text.replace(/\s+/gu, " ").trim();
}

/** What is wrong with a name and a room, in a sentence for the person who chose them; undefined when all is well. */
export function problemWith(name: string, room: string): string | undefined {
  return problemWithOne("name", name, limits.name) ?? problemWithOne("room", room, limits.room);
}

function problemWithOne(what: "name" | "room", text: string, limit: number): string | undefined {
  if (text === "") return `Choose a ${what}.`;
  if ([...text].length > limit) return `This ${what} is too long: ${[...text].length} characters, and ${limit} is the most.`;
  if (/\p{Cc}/u.test(text) || !text.isWellFormed()) return `This ${what} has characters that can't be shown.`;
  return undefined;
}
