import { useEffect } from "react";
import type { MessageClient } from "../../src/messages/client.ts";
import type { AnyMessages } from "../../src/messages/define.ts";
import type { NamesOf } from "../../src/messages/entries.ts";
import type { Received, StandardSchema } from "../../src/messages/standard.ts";
import { useLatest } from "./latest.ts";

/**
 * Listens to a message for as long as the component is mounted. The listener is the latest render's: it sees current props and state.
 * `client`: of `useMessages`, or any other.
 */
export function useMessage<Given extends AnyMessages, Name extends NamesOf<Given["toClient"], StandardSchema>>(
  client: MessageClient<Given> | undefined,
  name: Name,
  listener: (payload: Received<Extract<Given["toClient"][Name], StandardSchema>>) => void,
): void {
  const latest = useLatest(listener);
  useEffect(() => client?.on(name, (payload) => latest.current(payload)), [client, name, latest]);
}
