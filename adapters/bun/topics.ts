/** Bun's own topics, one set of them for each native server. */
import { viewOf } from "../../src/values/data.ts";
import type { Sendable } from "../../src/api/connection.ts";
import type { NativeTopics } from "../../src/ports.ts";
import type { BunSocket } from "./socket.ts";
import type { Publisher } from "./types.ts";

/** `publisher` may come to be only when it is first asked for. */
export function bunTopics(publisher: () => Publisher): NativeTopics {
  // Other handlers, and the application, may have topics on the same server.
  const own = crypto.randomUUID();
  let names = 0;
  return {
    name: () => `${own}:${names++}`,
    subscribe: (socket, name) => (socket as BunSocket).subscribe(name),
    unsubscribe: (socket, name) => (socket as BunSocket).unsubscribe(name),
    publish(name, data, { except, compress }) {
      const sent = sendable(data);
      return except === undefined ? publisher().publish(name, sent, compress) : (except as BunSocket).publish(name, sent, compress);
    },
    // Bun hands them over before and after it waits for events, and between two immediates it looks for some (Bun 1.4.5, measured).
    handedOver: (callback) => void setImmediate(() => setImmediate(callback)),
  };
}

declare function setImmediate(callback: () => void): unknown;

function sendable(data: Sendable): string | Uint8Array {
  return typeof data === "string" ? data : viewOf(data);
}
