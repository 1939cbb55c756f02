/** The part of a WebSocket that is an EventTarget: listeners, and an `on…` property for each event. */
import { rethrow } from "../../src/values/rethrow.ts";
import { captures } from "./audience.ts";
import type { AnyListener, Audience } from "./audience.ts";
import type { ListenOptions } from "../../src/values/listeners.ts";

/** Events by name. */
export interface MemoryClientEvents {
  /** The handshake was accepted. */
  open: Event;
  /** A message has arrived. */
  message: MessageEvent;
  /** The handshake was refused, or could not be made: `error` says why. */
  error: Event & { readonly error?: unknown };
  /** The connection has ended: once, and last. */
  close: CloseEvent;
}

type Type = keyof MemoryClientEvents;
type Listener<E> = ((event: E) => void) | { handleEvent(event: E): void };
type Handler<T extends Type> = ((event: MemoryClientEvents[T]) => void) | null;
interface Attached {
  readonly handler: (event: never) => void;
  readonly listener: (event: Event) => void;
}

const target = EventTarget.prototype as {
  addEventListener(this: object, type: string, listener: AnyListener, options?: ListenOptions): void;
  removeEventListener(this: object, type: string, listener: AnyListener, options?: ListenOptions): void;
  dispatchEvent(this: object, event: Event): boolean;
};

/** Its own methods are typed here, for every runtime. */
const Target: new () => object = EventTarget;

export class EventSource extends Target {
  readonly #handlers = new Map<Type, Attached>();
  readonly #audience: Audience;

  /** @param audience is told of the listeners of `message`. */
  constructor(audience: Audience) {
    super();
    this.#audience = audience;
  }

  addEventListener<T extends Type>(type: T, listener: Listener<MemoryClientEvents[T]> | null, options?: ListenOptions): void;
  addEventListener(type: string, listener: AnyListener, options?: ListenOptions): void;
  addEventListener(type: string, listener: AnyListener, options?: ListenOptions): void {
    target.addEventListener.call(this, type, listener, options);
    if (type === "message") this.#audience.add(listener, options);
  }

  removeEventListener<T extends Type>(type: T, listener: Listener<MemoryClientEvents[T]> | null, options?: ListenOptions): void;
  removeEventListener(type: string, listener: AnyListener, options?: ListenOptions): void;
  removeEventListener(type: string, listener: AnyListener, options?: ListenOptions): void {
    target.removeEventListener.call(this, type, listener, options);
    if (type === "message") this.#audience.delete(listener, captures(options));
  }

  /** A listener's error is reported by the runtime, and never thrown here. */
  dispatchEvent(event: Event): boolean {
    if (event.type === "message") this.#audience.told();
    try {
      return target.dispatchEvent.call(this, event);
    } catch (error) {
      // workerd's throws what a listener has thrown.
      rethrow(error);
      return true;
    }
  }

  get onopen(): Handler<"open"> {
    return this.#handler("open");
  }
  set onopen(handler: Handler<"open">) {
    this.#attach("open", handler);
  }
  get onmessage(): Handler<"message"> {
    return this.#handler("message");
  }
  set onmessage(handler: Handler<"message">) {
    this.#attach("message", handler);
  }
  get onerror(): Handler<"error"> {
    return this.#handler("error");
  }
  set onerror(handler: Handler<"error">) {
    this.#attach("error", handler);
  }
  get onclose(): Handler<"close"> {
    return this.#handler("close");
  }
  set onclose(handler: Handler<"close">) {
    this.#attach("close", handler);
  }

  #handler<T extends Type>(type: T): Handler<T> {
    return (this.#handlers.get(type)?.handler ?? null) as Handler<T>;
  }

  /** Like a browser: one that replaces another keeps its place among the listeners. */
  #attach(type: Type, given: unknown): void {
    const before = this.#handlers.get(type);
    if (typeof given !== "function") {
      this.#handlers.delete(type);
      if (before !== undefined) this.removeEventListener(type, before.listener);
      return;
    }
    const listener =
      before?.listener ??
      ((event: Event): void => {
        if (!callsHandlers()) this.#handlers.get(type)?.handler.call(this, event as never);
      });
    this.#handlers.set(type, { handler: given as Attached["handler"], listener });
    if (before === undefined) this.addEventListener(type, listener);
  }
}

let known: boolean | undefined;

/** Whether the runtime's EventTarget calls `on…` properties of any target by itself, as workerd's does. */
function callsHandlers(): boolean {
  if (known === undefined) {
    known = false;
    const probe = Object.assign(new EventTarget(), { onprobe: () => (known = true) });
    probe.dispatchEvent(new Event("probe"));
  }
  return known;
}
