import type { ReconnectingWebSocket } from "../../src/client/socket.ts";
import type { Address } from "../../src/client/types.ts";
import { messageClient } from "../../src/messages/client.ts";
import type { MessageClient } from "../../src/messages/client.ts";
import type { AnyMessages } from "../../src/messages/define.ts";
import { useConnection } from "./connection.ts";
import type { SocketOptions, SocketState } from "./socket.ts";

/** A new object when something in it has changed, the same one otherwise. */
export interface MessagesState<Given extends AnyMessages> extends Omit<SocketState, "send"> {
  /** What the other hooks take. Undefined as long as `socket` is, and the same for as long as the socket is. */
  readonly client: MessageClient<Given, ReconnectingWebSocket> | undefined;
  /** As the client's, always the same function. "refused" while there is no client. */
  readonly send: MessageClient<Given, ReconnectingWebSocket>["send"];
}

/**
 * A client for messages, over a socket as of `useSocket`.
 *
 * ```tsx
 * const { client, status, send } = useMessages(messages, "/lobby");
 * useMessage(client, "said", ({ from, text }) => add(`${from}: ${text}`));
 * ```
 * @throws TypeError if `messages` is not what `defineMessages` returns.
 */
export function useMessages<Given extends AnyMessages>(
  messages: Given,
  url: Address | null | undefined,
  { protocols = messages?.protocols, ...options }: SocketOptions = {},
): MessagesState<Given> {
  if (!protocols) throw new TypeError("useMessages: messages is not what defineMessages returns [EW506]");
  return useConnection({ url, protocols, options, source: messages, connect: (socket) => messageClient(messages, socket) });
}
