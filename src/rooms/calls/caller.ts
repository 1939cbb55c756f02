/** The caller's side of a call: arguments and the result are checked and encoded here, whatever the distance to the room. */
import type { RoomOptions } from "../../api/calls.ts";
import { integer } from "../../values/checks.ts";
import { show } from "../../values/text.ts";
import { described, encodeArguments, refused, resultOf } from "./wire.ts";
import type { CallAnswer, CallRequest } from "./wire.ts";

/** How a room is called. */
export interface Calling {
  /** Milliseconds. */
  readonly deadline: number;
  /** Rooms whose running calls wait for this one, the first caller's first. */
  readonly chain: readonly string[];
}

const checkDeadline = integer(1, 600_000);

/** @throws TypeError for an unknown option, TypeError or RangeError for an invalid deadline. */
export function callingOf(options: RoomOptions = {}, chain: readonly string[] = []): Calling {
  if (typeof options !== "object" || options === null)
    throw new TypeError(`room takes a name and { deadline }, not ${show(options)} [EW311]`);
  for (const name of Object.keys(options)) {
    if (name !== "deadline") throw new TypeError(`room: unknown option "${name}": the option is deadline [EW105]`);
  }
  const { deadline } = options;
  return { chain, deadline: deadline === undefined ? 10_000 : checkDeadline("deadline", deadline) };
}

/** `room.call`. @param ask passes a call on to the room. */
export function createCall(
  room: string,
  { chain, deadline }: Calling,
  ask: (request: CallRequest) => Promise<unknown>,
): (name: string, ...args: unknown[]) => Promise<unknown> {
  return async (name, ...args) => {
    if (typeof name !== "string") throw new TypeError(`the name of a call is a string, not ${show(name)} [EW312]`);
    const call = described(name, room);
    const encoded = encodeArguments(call, args);
    if (chain.includes(room)) {
      const path = [...chain, room].map((one) => JSON.stringify(one)).join(" → ");
      return resultOf(refused("deadlock", `${call}: it would wait for itself (${path}): a room answers one call at a time [EW337]`));
    }
    return resultOf((await ask([name, encoded, chain, deadline])) as CallAnswer);
  };
}

/** Milliseconds that a room elsewhere has beyond the deadline to say itself that it has passed. */
const grace = 1000;

/** The answer of a room that may never give one: an object that hangs, a connection that is lost. */
export async function answerInTime(room: string, [name, , , deadline]: CallRequest, pending: Promise<unknown>): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<CallAnswer>();
  const late = `${described(name, room)}: no answer within ${deadline + grace} ms: it may have begun, and may still finish [EW338]`;
  const timer = setTimeout(() => resolve(refused("deadline", late)), deadline + grace);
  try {
    return await Promise.race([pending, promise]);
  } finally {
    clearTimeout(timer);
  }
}
