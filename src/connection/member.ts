/** What a connection says of the member that it speaks for, as it is stored with it. */
import { decode, encode } from "../values/codec.ts";
import { exceeds, utf8Length } from "../values/text.ts";

/** Bytes of a member's state in its encoding: it is sent to everyone, and stored with each of the member's connections. */
export const maxMemberState = 1024;

/** What one connection says of its member. */
export interface Present {
  readonly member: string;
  readonly state: unknown;
  /** Larger than that of everything said before it. */
  readonly at: number;
}

/** @throws TypeError for a state that can't be stored, RangeError for more of it than 1 KiB. */
export function encodePresent({ member, state, at }: Present): string {
  const encoded = encode(state, "state");
  if (exceeds(encoded, maxMemberState)) {
    throw new RangeError(`the member's state takes ${utf8Length(encoded)} bytes encoded: at most ${maxMemberState} can be stored`);
  }
  return `${JSON.stringify([member, at]).slice(0, -1)},${encoded}]`;
}

export function decodePresent(encoded: string): Present {
  const [member, at, state] = decode(encoded) as [string, number, unknown];
  return { member, at, state };
}

/** The same, and as it is kept with the connection. */
export interface Said extends Present {
  readonly encoded: string;
}
