/** The member that a connection belongs to, and its encoding for storage. */
import { decode, encode } from "../values/codec.ts";
import { exceeds, utf8Length } from "../values/text.ts";

/** Maximum bytes of a member's encoded state: it is sent to everyone, and stored with each of the member's connections. */
export const maxMemberState = 1024;

/** The member and state that one connection declared. */
export interface Declaration {
  readonly member: string;
  readonly state: unknown;
  /** Larger than that of every earlier declaration. */
  readonly at: number;
}

/** @throws TypeError if the state can't be stored, RangeError if it exceeds 1 KiB. */
export function encodeDeclaration({ member, state, at }: Declaration): string {
  const encoded = encode(state, "state");
  if (exceeds(encoded, maxMemberState)) {
    throw new RangeError(`the member's state takes ${utf8Length(encoded)} bytes encoded: at most ${maxMemberState} can be stored [EW204]`);
  }
  return `${JSON.stringify([member, at]).slice(0, -1)},${encoded}]`;
}

export function decodeDeclaration(encoded: string): Declaration {
  const [member, at, state] = decode(encoded) as [string, number, unknown];
  return { member, at, state };
}

/** The same, with its encoding as stored with the connection. */
export interface EncodedDeclaration extends Declaration {
  readonly encoded: string;
}
