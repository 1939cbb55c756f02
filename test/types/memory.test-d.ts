/** What TypeScript knows of the client in memory. Compiled, never run. */
import { defineHandler } from "edgewire";
import { ReconnectingWebSocket } from "edgewire/client";
import {
  fakeClock,
  memory,
  type FakeClock,
  type MemoryClient,
  type MemoryWebSocket,
  type MemoryWebSocketConstructor,
} from "edgewire/memory";
import { defineMessages, messageClient } from "edgewire/messages";
import { expectTypeOf } from "vitest";

const clock = fakeClock(new Date());
expectTypeOf(clock).toEqualTypeOf<FakeClock>();
expectTypeOf(clock.advance(1)).toEqualTypeOf<Promise<void>>();
const server = memory(defineHandler({}), { clock });
expectTypeOf(server.WebSocket).toEqualTypeOf<MemoryWebSocketConstructor>();
expectTypeOf(server.settled({ deadline: 1 })).toEqualTypeOf<Promise<void>>();
// @ts-expect-error: an option that there is not
void server.settled({ timeout: 1 });
// @ts-expect-error: a clock without timers
memory(defineHandler({}), { clock: { now: () => 0 } });

const client: MemoryClient = await server.connect();
client.onmessage = (event) => expectTypeOf(event).toEqualTypeOf<MessageEvent>();
client.addEventListener("close", ({ code }) => expectTypeOf(code).toEqualTypeOf<number>(), { once: true });
client.addEventListener("error", ({ error }) => expectTypeOf(error).toEqualTypeOf<unknown>());
client.binaryType = "arraybuffer";
// @ts-expect-error: no such type
client.binaryType = "nodebuffer";
// @ts-expect-error: it is a number
client.readyState = 1;

// It is a WebSocket, for whatever takes one.
const socket: WebSocket = new server.WebSocket("ws://localhost/", ["one", "two"]);
expectTypeOf(new server.WebSocket(new URL("ws://localhost/"))).toEqualTypeOf<MemoryWebSocket>();
expectTypeOf(server.WebSocket.OPEN).toEqualTypeOf<1>();
void socket;
const messages = defineMessages({});
messageClient(messages, client);
void new ReconnectingWebSocket("ws://localhost/", messages.protocols, { WebSocket: server.WebSocket });

/** A test keeps what is made. */
class Kept extends server.WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols);
    expectTypeOf(this.terminate()).toEqualTypeOf<void>();
  }
}
void new ReconnectingWebSocket("ws://localhost/", messages.protocols, { WebSocket: Kept });
