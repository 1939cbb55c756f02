import type { MessageClient } from "../../src/messages/client.ts";
import type { AnyMessages } from "../../src/messages/define.ts";
import type { NamesOf, Payload, RequestSchemas } from "../../src/messages/entries.ts";
import type { Received } from "../../src/messages/standard.ts";
import type { RequestOptions } from "../../src/messages/exchange.ts";
import { useCall } from "./call.ts";
import type { Call, CallState } from "./call.ts";

/** As the client's: `cancel`, the next call and the end of the component are its signal. */
export type CallOptions = Omit<RequestOptions, "signal">;

/** What `useRequest` returns. */
export interface RequestState<Asked extends RequestSchemas> extends CallState<
  [...Payload<Asked["payload"]>, options?: CallOptions],
  Received<Asked["result"]>
> {
  /** The last result; undefined before the first. Stays while the next is awaited, and if that fails. */
  readonly data: Received<Asked["result"]> | undefined;
}

/**
 * Requests of one name, and what came of the last one. It is cancelled when the component is unmounted, or given another client.
 *
 * ```tsx
 * const history = useRequest(client, "history");
 * <button onClick={() => history.run({ last: 10 })} disabled={history.pending}>{history.error?.message ?? "Load"}</button>
 * ```
 */
export function useRequest<Given extends AnyMessages, Name extends NamesOf<Given["requests"], RequestSchemas>>(
  client: MessageClient<Given> | undefined,
  name: Name,
): RequestState<Extract<Given["requests"][Name], RequestSchemas>> {
  return useCall(client as Requester | undefined, name, before, request) as never;
}

const before = { data: undefined };

interface Requester {
  request(name: never, payload: never, options: RequestOptions): Promise<unknown>;
}

async function request({ client, name, args, signal }: Call<Requester, readonly unknown[]>): Promise<{ readonly data: never }> {
  const [payload, options] = args as [never, CallOptions?];
  return { data: (await client.request(name as never, payload, { ...options, signal })) as never };
}
