/** What the socket is before it connects anywhere: a target of its events, with a property for a listener of each that WebSocket has. */
import type { ClientEvents, Status } from "./types.ts";

type Listener<E> = ((event: E) => void) | { handleEvent(event: E): void };
type AnyListener = Parameters<EventTarget["addEventListener"]>[1];
type ListenOptions = Parameters<EventTarget["addEventListener"]>[2];

interface ClientEventTarget extends EventTarget {
  addEventListener<Type extends keyof ClientEvents>(type: Type, listener: Listener<ClientEvents[Type]>, options?: ListenOptions): void;
  addEventListener(type: string, listener: AnyListener, options?: ListenOptions): void;
  removeEventListener<Type extends keyof ClientEvents>(type: Type, listener: Listener<ClientEvents[Type]>, options?: ListenOptions): void;
  removeEventListener(type: string, listener: AnyListener, options?: ListenOptions): void;
}

const Target: new () => ClientEventTarget = EventTarget;

type Handler<Type extends keyof ClientEvents> = ((event: ClientEvents[Type]) => void) | null;

export class ClientEventSource extends Target {
  onopen: Handler<"open"> = null;
  onmessage: Handler<"message"> = null;
  onclose: Handler<"close"> = null;
  onerror: Handler<"error"> = null;

  constructor() {
    super();
    for (const name in this) {
      this.addEventListener(name.slice(2), (event) => (this as unknown as Record<string, ((event: Event) => void) | null>)[name]?.(event));
    }
  }
}

/** Dispatches an event with fields of its own. Not CloseEvent, which Node 22 has not. */
export function fire(target: EventTarget, type: keyof ClientEvents, fields?: object): void {
  target.dispatchEvent(Object.assign(new Event(type), fields));
}

/** The messages of a socket from now on, until it closes for good. */
export async function* messagesOf<T>(socket: EventTarget & { readonly readyState: number }): AsyncGenerator<T, void, void> {
  const waiting: T[] = [];
  let wake: (() => void) | undefined;
  const hear = (event: Event): void => {
    if (event.type === "message") waiting.push((event as MessageEvent).data as T);
    wake?.();
  };
  const listening = new AbortController();
  socket.addEventListener("message", hear, listening);
  socket.addEventListener("close", hear, listening);
  try {
    while (waiting.length || socket.readyState < 3) {
      if (waiting.length) yield waiting.shift() as T;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    listening.abort();
  }
}

/** Resolves while it is open. @throws Error when it is closed for good. */
export async function untilOpen(socket: EventTarget & { readonly status: Status }): Promise<void> {
  while (socket.status !== "open") {
    if (socket.status === "closed") throw new Error("closed");
    await new Promise((resolve) => socket.addEventListener("status", resolve, { once: true }));
  }
}
