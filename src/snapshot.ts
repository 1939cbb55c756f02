/**
 * Snapshots as they are stored, in three parts, so that waking ten thousand connections is cheap: what each has for itself, what
 * most have in common, and what nobody needs before one of its hooks runs.
 */
import { decode, encode } from "./codec.ts";
import { sizeAtMost } from "./data.ts";
import { maxSnapshot } from "./limits.ts";
import type { Closing, Phase, Saved, Snapshot } from "./types.ts";

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
  readonly state: unknown;
  readonly closing?: Closing;
}

/** What a connection starts or wakes from; `rest` is encoded until somebody asks. */
export interface Woken {
  readonly id: string;
  readonly head: Head;
  readonly rest: Rest | string;
  readonly expiresAt: number | undefined;
}

export function wokenFrom(snapshot: Snapshot): Woken {
  const { id, phase, version, room, topics, expiresAt } = snapshot;
  return { id, head: { phase, version, room, topics: setOf(topics) }, rest: snapshot, expiresAt };
}

/** @throws TypeError for state that can't be stored, RangeError when the whole is too large. */
export function encodeSnapshot(snapshot: Snapshot): Saved {
  const saved = encodeClosing(snapshot);
  const [id, head, rest] = saved;
  const bytes = id.length + sizeAtMost(head, maxSnapshot) + sizeAtMost(rest, maxSnapshot);
  if (bytes > maxSnapshot) {
    throw new RangeError(`the connection's state, topics and URL take ${bytes} bytes encoded: at most ${maxSnapshot} can be stored`);
  }
  return saved;
}

/** Without a look at the size: 1 KiB is kept for how a connection closed. */
export function encodeClosing(snapshot: Snapshot): Saved {
  const { id, room, version, topics, phase, url, protocol, remoteAddress, state, closing, expiresAt } = snapshot;
  const rest: Rest = { url, protocol, remoteAddress, state, ...(closing === undefined ? {} : { closing }) };
  const head = JSON.stringify([phase, version, room, topics]);
  return expiresAt === undefined ? [id, head, encode(rest)] : [id, head, encode(rest), expiresAt];
}

/** Reads each head once: most connections of a room have the same. */
export class Heads {
  readonly #known = new Map<string, Head>();

  read([id, text, rest, expiresAt]: Saved): Woken {
    let head = this.#known.get(text);
    if (head === undefined) {
      head = decodeHead(text);
      if (this.#known.size >= mostKnown) this.#known.clear();
      this.#known.set(text, head);
    }
    return { id, head, rest, expiresAt };
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
