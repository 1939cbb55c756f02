/** What waits to be sent while the connection is away: bounded, in order. */
import type { ClientSettings } from "./options.ts";
import type { ClientSendable } from "./types.ts";

export interface SendQueue {
  /** Bytes that wait. */
  bytes: number;
  /** False if there is no room. */
  add(data: ClientSendable): boolean;
  /** The oldest; undefined when nothing waits. */
  take(): ClientSendable | undefined;
}

export function makeQueue({ queueMessages, queueBytes }: ClientSettings): SendQueue {
  const waiting: ClientSendable[] = [];
  const queue: SendQueue = {
    bytes: 0,
    add(data) {
      const bytes = queue.bytes + sizeOf(data);
      if (waiting.length >= queueMessages || bytes > queueBytes) return false;
      queue.bytes = bytes;
      waiting.push(copyOf(data));
      return true;
    },
    take() {
      const data = waiting.shift();
      if (data) queue.bytes -= sizeOf(data);
      return data;
    },
  };
  return queue;
}

/** Bytes on the wire. */
export function sizeOf(data: ClientSendable): number {
  return (data as ArrayBufferView).byteLength ?? new Blob([data as string]).size;
}

/** Its owner may reuse the buffer, as after a WebSocket's `send`. */
function copyOf(data: ClientSendable): ClientSendable {
  const { buffer = data, byteOffset, byteLength } = data as ArrayBufferView;
  return byteLength === undefined ? data : new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength).slice();
}
