/** The two ways to wait for the socket: its messages in a loop, and its next open connection. */
import type { ClientEventSource } from "./events.ts";
import type { Status } from "./types.ts";

interface Unread {
  /** A Blob, an ArrayBuffer or a string. */
  readonly data?: { readonly size?: number; readonly byteLength?: number; readonly length?: number } | undefined;
  next?: Unread;
}

/**
 * The messages of a socket from now on, until it closes for good.
 * @throws RangeError if more than `most` wait: a string counts its UTF-16 units, bytes their number, each message 64 more.
 */
export async function* messagesOf<T>(
  socket: ClientEventSource & { readonly readyState: number },
  most: number,
): AsyncGenerator<T, void, void> {
  // A list, because an array's shift() takes time proportional to its length.
  let first: Unread = {};
  let last = first;
  let waiting = 0;
  let wake: (() => void) | undefined;
  const costOf = ({ data }: Unread): number => (data?.size ?? data?.byteLength ?? data?.length ?? 0) + 64;
  const onEvent = (event: Event & Unread): void => {
    if (event.type === "message" && waiting <= most) {
      last = last.next = { data: event.data };
      waiting += costOf(last);
    }
    wake?.();
  };
  const listening = new AbortController();
  socket.addEventListener("message", onEvent, listening);
  socket.addEventListener("close", onEvent, listening);
  try {
    while (first.next || socket.readyState < 3) {
      if (waiting > most) throw new RangeError("backlogBytes are exceeded [EW508]");
      if (first.next) {
        first = first.next;
        waiting -= costOf(first);
        yield first.data as T;
      } else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    listening.abort();
  }
}

/** Resolves once it is open; rejects if it is closed for good. */
export function untilOpen(socket: ClientEventSource & { readonly status: Status }): Promise<void> {
  const opened = look();
  // An ignored promise must not count as an unhandled rejection.
  opened.catch(() => {});
  return opened;

  async function look(): Promise<void> {
    while (socket.status !== "open") {
      if (socket.status === "closed") throw new Error("closed [EW509]");
      await new Promise((resolve) => socket.addEventListener("status", resolve, { once: true }));
    }
  }
}
