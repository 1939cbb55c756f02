/** Publishes through Bun's native topics. */
import { viewOf } from "../../src/values/data.ts";
import type { Sendable } from "../../src/api/connection.ts";
import type { NativeTopics } from "../../src/ports.ts";
import type { BunSocket } from "./socket.ts";
import type { Publisher } from "./types.ts";

/** @param publisher returns the native server; called on the first publish. */
export function bunTopics(publisher: () => Publisher): NativeTopics {
  // A unique prefix: other handlers and the application may use topics on the same server.
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
    // Bun writes published messages before and after it polls for events, and it polls between two immediates (Bun 1.4.5, measured).
    handedOver: (callback) => void setImmediate(() => setImmediate(callback)),
  };
}

declare function setImmediate(callback: () => void): unknown;

function sendable(data: Sendable): string | Uint8Array {
  return typeof data === "string" ? data : viewOf(data);
}
