/** What a client has of each topic's history: what it drops, what it offers when it comes back, and where something is missing. */
import { offerPrefix } from "../../protocol/positions.ts";
import { badFrame } from "../frame.ts";
import type { MessageFrame, PositionFrame } from "../frame.ts";

/** Where a message is in its topic's history. */
export interface MessagePosition {
  readonly topic: string;
  /** `epoch.offset.tag`: see docs/guide/history-positions.md. */
  readonly position: string;
  /** When it was published, in milliseconds since 1970. */
  readonly time: number;
}

/** Messages of a topic are lost to this client, because its history no longer has them; or it can't be known whether there were any. */
export interface Gap {
  readonly topic: string;
  /** What follows comes after this position. */
  readonly position: string;
}

export interface Positions {
  /** Where the message is, if it is in a history; null if the client has it already. @throws MessageError `bad-frame`. */
  accept(frame: MessageFrame): MessagePosition | null | undefined;
  /** What is missing between what the client has and where the replay begins. @throws MessageError `bad-frame`. */
  start(frame: PositionFrame): Gap | undefined;
  /** The subprotocol that offers the positions, if there are any. */
  offer(): string[];
}

/** Topics whose positions are kept: those that were used last. */
const mostTopics = 100;
/** Letters of the offer, at most, without its name. */
const mostLetters = 3000;

interface Place {
  readonly position: string;
  readonly epoch: string;
  readonly offset: number;
}

/** @param delivered by a socket that gives on no message twice: its logs may be rewound, and count anew. */
export function makePositions(delivered: boolean): Positions {
  /** The topic that was used last is at the end. */
  const last = new Map<string, Place>();

  function keep(topic: string, place: Place): void {
    last.delete(topic);
    last.set(topic, place);
    if (last.size > mostTopics) last.delete(last.keys().next().value as string);
  }

  return {
    accept({ topic, position, time }) {
      if (position === undefined) return undefined;
      const place = placeOf(topic, position, time);
      const before = last.get(topic as string);
      if (!delivered && before?.epoch === place.epoch && place.offset <= before.offset) return null;
      keep(topic as string, place);
      return { topic, position, time } as MessagePosition;
    },
    start({ topic, position, gap }) {
      const place = placeOf(topic, position, 0);
      const before = last.get(topic) ?? place;
      const isSame = before.epoch === place.epoch;
      // A log that was empty and not written had the epoch 0: it has another one since its first message.
      const isGap = gap === true || place.offset > (isSame ? before.offset : before.epoch === "0" ? 0 : -1);
      keep(topic, isSame && !isGap ? before : place);
      return isGap ? { topic, position } : undefined;
    },
    offer() {
      const parts = Array.from(last, ([topic, { position }]) => `~${escape(topic)}~${position}`);
      while (parts.join("").length > mostLetters) parts.shift();
      return parts.length > 0 ? [offerPrefix + parts.join("")] : [];
    },
  };
}

/** Leaves the letters of a token (RFC 9110 section 5.6.2) without "~", which separates. */
function escape(topic: string): string {
  return encodeURIComponent(topic).replace(/[()~]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
}

/** @throws MessageError `bad-frame`. */
function placeOf(topic = "", position = "", time?: number): Place {
  const [, epoch, offset] = /^([0-9a-z]+)\.(\d+)\.[0-9a-z]+$/.exec(position) ?? [];
  // With the flag u, only a lone surrogate matches: such a topic can't be offered.
  if (epoch === undefined || time === undefined || topic === "" || /\p{Cs}/u.test(topic)) throw badFrame("invalid position");
  return { position, epoch, offset: Number(offset) };
}
