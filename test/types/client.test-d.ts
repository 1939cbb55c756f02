/** What TypeScript infers and refuses where a client is written. Compiled, never run. */
import { ReconnectingWebSocket } from "edgewire/client";
import type { ClientSendable, ClientSendResult, DisconnectEvent, RetryEvent, Status } from "edgewire/client";
import { expectTypeOf } from "vitest";

const socket = new ReconnectingWebSocket("wss://server.example/");

// Whatever accepts a WebSocket accepts it.
const accepted: WebSocket = socket;
void accepted;

void new ReconnectingWebSocket(new URL("wss://server.example/"), "chat");
void new ReconnectingWebSocket(
  async () => "wss://server.example/",
  async () => ["chat", "chat.v2"] as const,
);
void new ReconnectingWebSocket(() => "wss://server.example/", [], { signal: AbortSignal.timeout(1000), heartbeat: 0, WebSocket });

expectTypeOf(socket.status).toEqualTypeOf<Status>();
expectTypeOf(socket.latency).toEqualTypeOf<number | undefined>();
expectTypeOf(socket.send("text")).toEqualTypeOf<ClientSendResult>();
socket.addEventListener("drop", (event) => expectTypeOf(event.data).toEqualTypeOf<ClientSendable>());
socket.addEventListener("disconnect", ({ code, reason, wasClean }) =>
  expectTypeOf([code, reason, wasClean]).toEqualTypeOf<(number | string | boolean)[]>(),
);
socket.addEventListener("disconnect", ({ cause, retryAt }) => expectTypeOf([cause, retryAt]).toEqualTypeOf<unknown[]>());
socket.addEventListener("disconnect", ({ retryAt }) => expectTypeOf(retryAt).toEqualTypeOf<number>());
socket.addEventListener("retry", ({ cause, retryAt }) => {
  expectTypeOf(cause).toEqualTypeOf<unknown>();
  expectTypeOf(retryAt).toEqualTypeOf<number>();
});
socket.onretry = (event) => expectTypeOf(event).toEqualTypeOf<RetryEvent>();
socket.ondisconnect = (event) => expectTypeOf(event).toEqualTypeOf<DisconnectEvent>();
socket.ondrop = ({ data, cause }) => expectTypeOf([data, cause]).toEqualTypeOf<unknown[]>();
socket.addEventListener("error", ({ error }) => expectTypeOf(error).toEqualTypeOf<unknown>());
socket.onmessage = (event: MessageEvent) => void event.data;
socket.onclose = ({ code }) => expectTypeOf(code).toEqualTypeOf<number>();
for await (const message of socket) expectTypeOf(message).toEqualTypeOf<string | ArrayBuffer | Blob>();

socket.offer(() => ["chat", "chat.v2"] as const);
expectTypeOf(socket.reconnect()).toEqualTypeOf<void>();

// @ts-expect-error: not a function.
socket.offer(["chat"]);
// @ts-expect-error: subprotocols are text.
socket.offer(() => [1]);
// @ts-expect-error: an attempt that failed has no close code.
socket.onretry = ({ code }) => void code;
// @ts-expect-error: an unknown option.
void new ReconnectingWebSocket("wss://server.example/", [], { maxRetries: 3 });
// @ts-expect-error: an option of the wrong type.
void new ReconnectingWebSocket("wss://server.example/", [], { firstDelay: "1 s" });
// @ts-expect-error: no WebSocket.
void new ReconnectingWebSocket("wss://server.example/", [], { WebSocket: EventTarget });
// @ts-expect-error: read-only.
socket.status = "open";
// @ts-expect-error: an object.
socket.send({ text: "hello" });
