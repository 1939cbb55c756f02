/** Outgoing messages: sent at once if a connection takes them; otherwise they wait, in order and within limits. */
import type { ClientSettings } from "./options.ts";
import type { ClientSendable, ClientSendResult, NativeSocket } from "./types.ts";

export interface Outbox {
  /** Bytes that wait. */
  bytes(): number;
  /** @throws what the connection's own `send` throws. */
  send(data: ClientSendable): ClientSendResult;
  /** A connection is open: messages sent by `greet` go first, then those that wait. */
  open(native: NativeSocket, greet: () => void): void;
  /** Calls back when all waiting messages are handed to the connection. */
  finish(done: () => void): void;
  /** The connection is lost. */
  lost(): void;
  /** Drops the waiting messages. */
  end(): void;
}

interface Item {
  readonly data: ClientSendable;
  readonly size: number;
  /** False while a Blob is being read, which gives its bytes or an error. */
  ready: boolean;
  bytes?: ArrayBuffer;
  error?: unknown;
  next?: Item | undefined;
}

export function makeOutbox({ queueMessages, queueBytes }: ClientSettings, drop: (data: ClientSendable, cause?: unknown) => void): Outbox {
  // A linked list, because an array's shift() takes time proportional to its length. Waiting items come after this one.
  const first = {} as Item;
  let last = first;
  /** While `greet` runs: the item after which new messages wait. */
  let greeting: Item | undefined;
  let count = 0;
  let bytes = 0;
  let target: NativeSocket | undefined;
  let finished: (() => void) | undefined;

  function take(): Item | undefined {
    const item = first.next;
    if (item) {
      first.next = item.next;
      if (last === item) last = first;
      count--;
      bytes -= item.size;
    }
    return item;
  }

  const canSend = (): boolean | undefined => target?.readyState === 1 && !greeting && first.next?.ready;

  function flush(): void {
    while (canSend()) {
      const { data, bytes: content = data, error } = take() as Item;
      try {
        if (error) throw error;
        target?.send(content);
      } catch (cause) {
        drop(data, cause);
      }
    }
    if (last === first) finished?.();
  }

  return {
    bytes: () => bytes,
    send(given) {
      const before = greeting ?? last;
      const open = target?.readyState === 1 && before === first;
      const data = convert(given, !open);
      const blob = mustRead(data) ? (data as Blob) : undefined;
      if (open && !blob) {
        target?.send(data);
        return "sent";
      }
      const size = sizeOf(data);
      // The limits don't apply to a Blob that waits only to be read.
      if (!open && (count >= queueMessages || bytes + size > queueBytes)) {
        drop(data);
        return "refused";
      }
      const item: Item = { data, size, ready: !blob, next: before.next };
      before.next = item;
      if (last === before) last = item;
      if (greeting) greeting = item;
      count++;
      bytes += size;
      blob
        ?.arrayBuffer()
        .then(
          (read) => (item.bytes = read),
          (error: unknown) => (item.error = error),
        )
        .then(() => {
          item.ready = true;
          flush();
        });
      return "queued";
    },
    open(native, greet) {
      target = native;
      greeting = first;
      greet();
      greeting = undefined;
      flush();
    },
    finish(done) {
      finished = done;
      flush();
    },
    lost() {
      target = finished = undefined;
    },
    end() {
      for (let item; (item = take());) drop(item.data);
    },
  };
}

/** Bytes on the wire. */
export function sizeOf(data: ClientSendable): number {
  return (data as ArrayBufferView).byteLength ?? new Blob([data as string]).size;
}

/** Lone surrogates become U+FFFD, as in a browser: workerd sends them raw, which ends the connection. */
export function wellFormed(text: string): string {
  // Not `toWellFormed`, which React Native's engine does not have. With the flag "u" a pair is one character, so only lone ones match.
  return text.replace(/[\ud800-\udfff]/gu, "\ufffd");
}

/** Converts to data that every runtime's `send` accepts. Copies data that waits: the caller may reuse its buffer, as after a WebSocket's `send`. */
export function convert(data: ClientSendable, copy: boolean): ClientSendable {
  const { buffer = data, byteOffset, byteLength } = Object(data) as ArrayBufferView;
  if (byteLength === undefined) return data instanceof Blob ? data : wellFormed(String(data));
  // Bun and Deno refuse a SharedArrayBuffer, Node sends its name.
  return !copy && buffer instanceof ArrayBuffer ? data : new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength).slice();
}

/**
 * Browsers and React Native send Blobs. workerd sends the text "[object Blob]", and Node loses one if `close()` follows (measured).
 * So elsewhere the Blob is read first, and its bytes are sent.
 */
function mustRead(data: ClientSendable): boolean {
  const { navigator } = globalThis as { navigator?: { readonly userAgent: string } };
  return data instanceof Blob && "arrayBuffer" in data && !navigator?.userAgent?.startsWith("Mozilla");
}
