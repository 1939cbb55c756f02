/**
 * Snapshots as they are stored, in three parts, so that waking ten thousand connections is cheap: what each has for itself, what
 * most have in common, and what nobody needs before one of its hooks runs. A state that does not fit beside the others is stored apart, as
 * a value of the room; what is where, and how large it may be, is the same on every runtime.
 */
import { decode, encode } from "../values/codec.ts";
import { memo } from "../values/memo.ts";
import { exceeds, utf8Length } from "../values/text.ts";
import type { Closing, Phase } from "../api/connection.ts";
import type { StoredSnapshot, Snapshot } from "../ports.ts";

/**
 * The encoded size of a snapshot, on every runtime; a state that does not fit is stored apart. A hibernating socket's attachment holds 16 384 serialized bytes
 * (Cloudflare's documentation, Durable Objects, serializeAttachment); 1 KiB is kept for how the connection closed
 * (a reason of 123 control characters takes 738 bytes of JSON) and the serializer's own header.
 */
export const maxSnapshot: number = 15 * 1024;

/** What a room has to know of a connection. */
export interface Head {
  readonly phase: Phase;
  readonly version: number;
  readonly room: string;
  /** Undefined for none. */
  readonly topics: ReadonlySet<string> | undefined;
}

/** What its own hooks ask for. */
export interface Rest {
  readonly url: string;
  readonly protocol: string;
  readonly remoteAddress: string;
  /** Not there, where it is undefined, or stored apart and nobody has asked for it yet. */
  readonly state?: unknown;
  /** The state is stored apart. */
  readonly apart?: boolean;
  readonly closing?: Closing;
}

/** What a connection starts or wakes from; `rest` is encoded until somebody asks. */
export interface Restored {
  readonly id: string;
  readonly head: Head;
  readonly rest: Rest | string;
  readonly expiresAt: number | undefined;
  readonly presence: string | undefined;
}

export function restoredFrom(snapshot: Snapshot): Restored {
  const { id, phase, version, room, topics, url, protocol, remoteAddress, state, expiresAt, presence } = snapshot;
  const head = { phase, version, room, topics: setOf(topics) };
  return { id, head, rest: { url, protocol, remoteAddress, state }, expiresAt, presence };
}

/** A snapshot without its state. */
export type Stateless = Omit<Snapshot, "state">;

export interface Encoded {
  readonly stored: StoredSnapshot;
  /** The state, where it has to be stored apart. */
  readonly state: string | undefined;
}

/** @throws TypeError for state that can't be stored; RangeError for more of it than `maxState`, or when the others are too large by themselves. */
export function encodeSnapshot(snapshot: Snapshot, maxState: number): Encoded {
  const state = encode(snapshot.state, "state");
  if (exceeds(state, maxState)) {
    throw new RangeError(
      `the connection's state takes ${utf8Length(state)} bytes encoded: at most ${maxState} (option "maxState") can be stored`,
    );
  }
  const stored = join(snapshot, memberOf(snapshot.state, state));
  return exceeds(textOf(stored), maxSnapshot) ? { stored: encodeApart(snapshot), state } : { stored, state: undefined };
}

/** Throws what `encodeSnapshot` does. Most handshakes bring no state, and what else there is fits by its length. */
export function checkSnapshot(snapshot: Snapshot, maxState: number): void {
  const { id, room, url, protocol, remoteAddress, state } = snapshot;
  const length = id.length + room.length + url.length + protocol.length + remoteAddress.length;
  if (state !== undefined || !fitsByLength(length)) encodeSnapshot(snapshot, maxState);
}

/** Whether a snapshot is surely small enough, by the length of its texts and the encoded size of its topics. */
export function fitsByLength(length: number, topicBytes = 0): boolean {
  return length * mostEncoded + overhead + topicBytes <= maxSnapshot;
}

/** Whether it is small enough with the state stored apart. */
export function fitsApart(snapshot: Stateless): boolean {
  return !exceeds(textOf(join(snapshot, apart)), maxSnapshot);
}

/** The bytes that a topic takes in a snapshot. */
export function encodedBytes(topic: string): number {
  return utf8Length(JSON.stringify(topic)) + 1;
}

/** Bytes of one UTF-16 unit: JSON writes a control character as six. */
const mostEncoded = 6;
/** Names, quotes, numbers and what `undefined` is encoded as. */
const overhead = 512;

/** The snapshot of a connection whose state is stored apart. @throws RangeError when even that is too large. */
export function encodeApart(snapshot: Stateless): StoredSnapshot {
  const stored = join(snapshot, apart);
  const all = textOf(stored);
  if (exceeds(all, maxSnapshot)) {
    throw new RangeError(
      `the connection's topics, URL, address and presence take ${utf8Length(all)} bytes encoded: at most ${maxSnapshot} can be stored`,
    );
  }
  return stored;
}

/** Without a look at the size: 1 KiB is kept for how a connection closed. */
export function encodeClosing(snapshot: Stateless, rest: Rest): StoredSnapshot {
  return join(snapshot, rest.apart === true ? apart : memberOf(rest.state, encode(rest.state, "state")));
}

const apart = ',"apart":true';

/** Most have none, and V8 keeps an attachment of up to 196 bytes in half the memory of a longer one. */
function memberOf(state: unknown, encoded: string): string {
  return state === undefined ? "" : `,"state":${encoded}`;
}

function join(
  { id, room, version, topics, phase, url, protocol, remoteAddress, closing, expiresAt, presence }: Stateless,
  member: string,
): StoredSnapshot {
  const rest = JSON.stringify({ url, protocol, remoteAddress, ...(closing === undefined ? {} : { closing }) });
  const head = JSON.stringify([phase, version, room, topics]);
  const whole = `${rest.slice(0, -1)}${member}}`;
  if (presence !== undefined) return [id, head, whole, expiresAt, presence];
  return expiresAt === undefined ? [id, head, whole] : [id, head, whole, expiresAt];
}

/** All of it that counts. */
export function textOf([id, head, rest, , presence = ""]: StoredSnapshot): string {
  return id + head + rest + presence;
}

/** Where a state that is apart is stored: among its room's values, by the connection's id. */
export const statePrefix = "state:";

/** Reads each head once: most connections of a room have the same. */
export class Heads {
  readonly #known = memo(mostKnown, decodeHead, maxSnapshot);
  /** To compare with the last one costs less than to hash each. */
  #last: { readonly text: string; readonly head: Head } | undefined;

  read([id, text, rest, expiresAt, presence]: StoredSnapshot): Restored {
    if (this.#last?.text !== text) this.#last = { text, head: this.#known(text) };
    return { id, head: this.#last.head, rest, expiresAt, presence };
  }
}

/** Where every connection has topics of its own, remembering them gains nothing. */
const mostKnown = 100;

function decodeHead(text: string): Head {
  const [phase, version, room, topics] = JSON.parse(text) as [Phase, number, string, string[]];
  return { phase, version, room, topics: setOf(topics) };
}

function setOf(topics: readonly string[]): ReadonlySet<string> | undefined {
  return topics.length > 0 ? new Set(topics) : undefined;
}

export function decodeRest(rest: Rest | string): Rest {
  return typeof rest === "string" ? (decode(rest) as Rest) : rest;
}
