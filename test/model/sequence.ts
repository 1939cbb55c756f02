/** What a property runs: connections, what their clients do, and what their handlers are told to do, one action after the other. */
import type { Script, Value } from "../support/script.ts";

export const rooms = ["a", "b"] as const;
export type RoomName = (typeof rooms)[number];

/** What a client's handler does with a message: run it as a script, echo it, or echo it asynchronously. */
export type Kind = "run" | "echo" | "slow";

/** A script for a client of kind "run", a value for the others. */
export type Message = Script | Value;

/** `who` is a number that picks one of the clients that are still there; without one the action does nothing. */
export type Action =
  | {
      readonly do: "connect";
      readonly kind: Kind;
      readonly room: RoomName;
      /** Whether `upgrade` awaits. */
      readonly late: boolean;
      readonly state: number | null;
      readonly open: Script;
      /** The script of the close hook. */
      readonly close: Script;
      /** Sent as soon as the 101 is there, however long `open` takes. */
      readonly first: readonly Message[];
    }
  /** Scripts for a client of kind "run", at once; `evict`: its room is evicted while they are under way. */
  | { readonly do: "tell"; readonly who: number; readonly messages: readonly Script[]; readonly evict?: true | undefined }
  /** Values for a client that echoes, at once. */
  | { readonly do: "send"; readonly who: number; readonly to: "echo" | "slow"; readonly values: readonly Value[] }
  /** Several clients publish at the same time, and someone outside too. */
  | { readonly do: "burst"; readonly speakers: readonly Speaker[]; readonly outside: number; readonly topic: string }
  /** The client closes, after some last messages (for a client of kind "run"). */
  | { readonly do: "leave"; readonly who: number; readonly last: readonly Script[]; readonly code?: number; readonly reason?: string }
  /** The client's network is lost: between two hooks, or once the one that runs this script has begun (of a client of kind "run"). */
  | { readonly do: "lose"; readonly who: number; readonly during: Script | null }
  | { readonly do: "publish"; readonly room: RoomName; readonly topic: string; readonly text: string; readonly except?: number | undefined }
  | { readonly do: "broadcast"; readonly room: RoomName; readonly text: string; readonly except?: number | undefined }
  | { readonly do: "count"; readonly room: RoomName }
  | { readonly do: "evict"; readonly room: RoomName };

export interface Speaker {
  readonly who: number;
  readonly count: number;
  /** Milliseconds that each hook sleeps before it publishes; 0: it is synchronous. */
  readonly pace: number;
}

export interface Sequence {
  /** Which of the test application's handlers. "tight" has a `maxPayload` of 1000 bytes; rooms from outside are those of "main". */
  readonly on: "main" | "tight";
  readonly actions: readonly Action[];
}

export const maxPayload: Record<Sequence["on"], number> = { main: 1024 * 1024, tight: 1000 };

/** The one that `who` picks. */
export function pick<T>(who: number, candidates: readonly T[]): T | undefined {
  return candidates.length === 0 ? undefined : candidates[who % candidates.length];
}

/** The messages of one speaker in a burst: each publishes one numbered text, and sends it to its own client. */
export function speech(name: string, topic: string, { count, pace }: { count: number; pace: number }): Script[] {
  return Array.from({ length: count }, (_, index) => {
    const text = `${name}/${index}`;
    const talk: Script = [
      ["publish", topic, text],
      ["send", text],
    ];
    return pace === 0 ? talk : [["sleep", pace], ...talk];
  });
}

/** What a message is on the wire. */
export function dataOf(message: Message): string | Uint8Array {
  return Array.isArray(message) ? JSON.stringify(message) : valueOf(message as Value);
}

/** What a value is once it has arrived: no lone surrogate does. @throws TypeError for what can't be sent. */
export function valueOf(value: Value): string | Uint8Array {
  if (typeof value === "string") return value;
  if ("bytes" in value) return Uint8Array.from(value.bytes);
  if ("fill" in value) return new Uint8Array(value.size).fill(value.fill);
  if ("letter" in value) return value.letter.repeat(value.times);
  if (value.odd === "subarray") return Uint8Array.of(1, 2, 3);
  if (value.odd === "loneSurrogate") return "a\ufffdb";
  throw new TypeError(`${value.odd} can't be sent`);
}

export function byteLength(data: string | Uint8Array): number {
  return typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
}
