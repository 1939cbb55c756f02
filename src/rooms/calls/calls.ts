/**
 * The room's side of calls. Each room has a queue of its own, apart from its hooks: a call waits neither for `room.open` nor for a slow alarm. It
 * keeps its server open, and its object in memory, until it is answered.
 */
import type { AnyCalls, CallFunction } from "../../api/calls.ts";
import { observed } from "../../handler/observe.ts";
import { isPromise } from "../../values/promise.ts";
import { SmallMap } from "../../values/small-map.ts";
import type { LocalRooms } from "../local-room.ts";
import { CallQueue, mostWaiting } from "./queue.ts";
import { decodeArguments, described, encodeArguments, encodeResult, failureOf, isAnswer, refused, resultOf } from "./wire.ts";
import type { CallAnswer, CallRequest } from "./wire.ts";

/** Milliseconds that a scheduled call has. */
const scheduledDeadline = 10_000;

export class RoomCalls<State, Env> {
  readonly #rooms: LocalRooms<State, Env>;
  /** Only rooms in which a call runs or waits. */
  readonly #queues = new SmallMap<CallQueue>();

  constructor(rooms: LocalRooms<State, Env>) {
    this.#rooms = rooms;
  }

  /** For a scheduled call: rejects with what the function throws, and reports nothing. */
  async run(room: string, name: string, args: readonly unknown[]): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    const request = [name, encodeArguments(described(name, room), args), [], scheduledDeadline] as const;
    const answer = await this.answer(room, request, (error) => (failure = { error }));
    if (failure !== undefined) throw failure.error;
    resultOf(answer);
  }

  /** Never rejects: an error is an answer. @param failed gets what the function throws, instead of the `error` hook. */
  answer(room: string, [name, args, chain, deadline]: CallRequest, failed?: (error: unknown) => void): Promise<CallAnswer> {
    const { host } = this.#rooms;
    const call = described(name, room);
    if (host.shutdown !== undefined) return Promise.resolve(refused("closing", `${call}: the server is closing [EW332]`));
    const run = callOf(host.handler.calls, name);
    if (run === undefined) return Promise.resolve(refused("unknown_call", `${call}: ${knownCalls(host.handler.calls)}`));
    const queue = this.#queueOf(room);
    if (queue.isFull) return Promise.resolve(refused("busy", `${call}: ${mostWaiting} calls already wait in the room [EW335]`));
    const answer = queue.add({
      deadline,
      run: () => this.#run(room, name, run as CallFunction<State, Env>, args, chain, failed),
      late: (begun) =>
        refused(
          "deadline",
          `${call}: ${begun ? "not answered" : "did not begin"} within ${deadline} ms${begun ? ": it has begun, and may still finish" : ""} [EW336]`,
        ),
    });
    host.waitUntil(answer, () => {});
    return answer;
  }

  #queueOf(room: string): CallQueue {
    let queue = this.#queues.get(room);
    if (queue === undefined) this.#queues.set(room, (queue = new CallQueue(this.#rooms.host.clock, () => this.#queues.delete(room))));
    return queue;
  }

  async #run(
    name: string,
    call: string,
    run: CallFunction<State, Env>,
    args: string,
    chain: readonly string[],
    failed: ((error: unknown) => void) | undefined,
  ): Promise<CallAnswer> {
    const { host } = this.#rooms;
    // What it asks of other rooms carries the rooms that wait for it.
    const room = this.#rooms.makeRoom(name, { room: (other, options) => host.room(other, options, [...chain, name]) });
    const about = { hook: "call", room, call } as const;
    try {
      const start = (): unknown => Reflect.apply(run, host.handler.calls, [room, ...decodeArguments(args)]);
      const result = await observed(host.settings.observe, start, about);
      return { value: encodeResult(described(call, name), result) };
    } catch (thrown) {
      const error = failureOf(thrown);
      if (failed !== undefined) {
        failed(thrown);
        return { error };
      }
      // The caller does not wait for the hook.
      const reported = isAnswer(thrown, error) ? undefined : host.failed(thrown, about, this.#rooms.counters(name));
      if (isPromise(reported)) host.waitUntil(reported, () => {});
      return { error };
    }
  }
}

/** Own functions alone: not `toString`. */
function callOf(calls: AnyCalls, name: string): CallFunction | undefined {
  return Object.hasOwn(calls, name) ? (calls[name] as CallFunction) : undefined;
}

function knownCalls(calls: AnyCalls): string {
  const names = Object.keys(calls).map((name) => JSON.stringify(name));
  return names.length === 0
    ? "the handler has no calls: defineHandler({ calls: { … } }) [EW333]"
    : `there is no such call: calls are ${names.join(", ")} [EW333]`;
}
