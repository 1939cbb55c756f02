/**
 * Snapshots as they are stored, in three parts, so that waking ten thousand connections is cheap: what is unique to each, what
 * most have in common, and what is needed only once a hook runs. A state that does not fit is stored separately ("apart"), as
 * a value of the room. What is stored where, and how large it may be, is the same on every runtime.
 */
import { decode, encode } from "../values/codec.ts";
import { memo } from "../values/memo.ts";
import { exceeds, utf8Length } from "../values/text.ts";
import type { Closing, Phase } from "../api/connection.ts";
import type { StoredSnapshot, Snapshot } from "../ports.ts";

/**
 * The maximum encoded size of a snapshot, on every runtime; a state that does not fit is stored apart. A hibernating socket's attachment
 * holds 16 384 serialized bytes (Cloudflare's documentation, Durable Objects, serializeAttachment). 1 KiB is reserved for how the connection
 * closed (a reason of 123 control characters takes 738 bytes of JSON) and for the serializer's own header.
 */
export const maxSnapshot: number = 15 * 1024;

/** What a room needs to know of a connection. */
export interface Head {
  readonly phase: Phase;
  readonly version: number;
  readonly room: string;
  /** Undefined for none. */
  readonly topics: ReadonlySet<string> | undefined;
}

/** What the connection's own hooks need. */
export interface Rest {
  readonly url: string;
  readonly protocol: string;
  readonly remoteAddress: string;
  /** Absent if it is undefined, or stored apart and not read yet. */
  readonly state?: unknown;
  /** The state is stored apart. */
  readonly apart?: boolean;
  readonly closing?: Closing;
}

/** What a connection starts or wakes from; `rest` stays encoded until it is needed. */
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
  /** The state, if it has to be stored apart. */
  readonly state: string | undefined;
}

/** @throws TypeError for state that can't be stored; RangeError if it exceeds `maxState`, or if the other parts alone are too large. */
export function encodeSnapshot(snapshot: Snapshot, maxState: number): Encoded {
  const state = encode(snapshot.state, "state");
  if (exceeds(state, maxState)) {
    throw new RangeError(
      `the connection's state takes ${utf8Length(state)} bytes encoded: at most ${maxState} (option "maxState") can be stored [EW208]`,
    );
  }
  const stored = join(snapshot, memberOf(snapshot.state, state));
  return exceeds(textOf(stored), maxSnapshot) ? { stored: encodeApart(snapshot), state } : { stored, state: undefined };
}

/** Throws what `encodeSnapshot` does. Most handshakes have no state, and the length alone shows that the rest fits. */
export function checkSnapshot(snapshot: Snapshot, maxState: number): void {
  const { id, room, url, protocol, remoteAddress, state } = snapshot;
  const length = id.length + room.length + url.length + protocol.length + remoteAddress.length;
  if (state !== undefined || !fitsByLength(length)) encodeSnapshot(snapshot, maxState);
}

/** Whether a snapshot certainly fits, judged by the length of its texts and the encoded size of its topics. */
export function fitsByLength(length: number, topicBytes = 0): boolean {
  return length * mostEncoded + overhead + topicBytes <= maxSnapshot;
}

/** Whether it fits with the state stored apart. */
export function fitsApart(snapshot: Stateless): boolean {
  return !exceeds(textOf(join(snapshot, apart)), maxSnapshot);
}

/** The bytes that a topic takes in a snapshot. */
export function encodedBytes(topic: string): number {
  return utf8Length(JSON.stringify(topic)) + 1;
}

/** Bytes per UTF-16 unit: JSON writes a control character as six. */
const mostEncoded = 6;
/** Names, quotes, numbers and the encoding of `undefined`. */
const overhead = 512;

/** The snapshot of a connection whose state is stored apart. @throws RangeError if even that is too large. */
export function encodeApart(snapshot: Stateless): StoredSnapshot {
  const stored = join(snapshot, apart);
  const all = textOf(stored);
  if (exceeds(all, maxSnapshot)) {
    throw new RangeError(
      `the connection's topics, URL, address and presence take ${utf8Length(all)} bytes encoded: at most ${maxSnapshot} can be stored [EW209]`,
    );
  }
  return stored;
}

/** Does not check the size: 1 KiB is reserved for how a connection closed. */
export function encodeClosing(snapshot: Stateless, rest: Rest): StoredSnapshot {
  return join(snapshot, rest.apart === true ? apart : memberOf(rest.state, encode(rest.state, "state")));
}

const apart = ',"apart":true';

/** Most connections have no state, and V8 keeps an attachment of up to 196 bytes in half the memory of a longer one. */
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

/** All parts whose size counts. */
export function textOf([id, head, rest, , presence = ""]: StoredSnapshot): string {
  return id + head + rest + presence;
}

/** The key prefix of a state that is stored apart: it is among its room's values, by the connection's id. */
export const statePrefix = "state:";

/** Decodes each head once: most connections of a room have the same. */
export class Heads {
  readonly #known = memo(mostKnown, decodeHead, maxSnapshot);
  /** Comparing with the last one costs less than hashing each. */
  #last: { readonly text: string; readonly head: Head } | undefined;

  read([id, text, rest, expiresAt, presence]: StoredSnapshot): Restored {
    if (this.#last?.text !== text) this.#last = { text, head: this.#known(text) };
    return { id, head: this.#last.head, rest, expiresAt, presence };
  }
}

/** If every connection has topics of its own, remembering them gains nothing. */
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
