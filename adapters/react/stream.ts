import type { MessageClient } from "../../src/messages/client.ts";
import type { AnyMessages } from "../../src/messages/define.ts";
import type { NamesOf, Payload, StreamSchemas } from "../../src/messages/entries.ts";
import type { Received } from "../../src/messages/standard.ts";
import type { StreamOptions } from "../../src/messages/stream.ts";
import { useCall } from "./call.ts";
import type { Call, CallState } from "./call.ts";

/** What `useStream` takes. */
export interface StreamCallOptions extends Omit<StreamOptions, "signal"> {
  /** How many items are kept: the last ones. Default: all of them; give a stream without an end a number. */
  readonly keep?: number;
}

/** What `useStream` returns. */
export interface StreamState<Asked extends StreamSchemas> extends CallState<
  [...Payload<Asked["payload"]>, options?: StreamCallOptions],
  void
> {
  /** What came so far: another array with each item. Empty when the next call begins. */
  readonly items: readonly Received<Asked["item"]>[];
}

/**
 * Streams of one name, and the items of the last one. It is cancelled when the component is unmounted, or given another client.
 *
 * ```tsx
 * const answer = useStream(client, "ask");
 * <button onClick={() => answer.run({ prompt })}>Ask</button>
 * <p>{answer.items.join("")}</p>
 * ```
 */
export function useStream<Given extends AnyMessages, Name extends NamesOf<Given["requests"], StreamSchemas>>(
  client: MessageClient<Given> | undefined,
  name: Name,
): StreamState<Extract<Given["requests"][Name], StreamSchemas>> {
  return useCall(client as Streamer | undefined, name, before, stream) as never;
}

const before = { items: [] as readonly unknown[] };

interface Streamer {
  stream(name: never, payload: never, options: StreamOptions): AsyncIterable<unknown>;
}

async function stream(
  { client, name, args, signal }: Call<Streamer, readonly unknown[]>,
  show: (changes: typeof before) => void,
): Promise<object> {
  const [payload, { keep = Infinity, ...options } = {}] = args as [never, StreamCallOptions?];
  if (!(keep >= 1)) throw new RangeError(`option "keep" is ${keep}: use 1 or more [EW507]`);
  let { items } = before;
  show({ items });
  for await (const item of client.stream(name as never, payload, { ...options, signal })) {
    items = [...items, item].slice(-keep);
    show({ items });
  }
  return {};
}
