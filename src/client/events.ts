/**
 * The parts of the socket that need no connection: WebSocket's constants, `addEventListener`, and an `on…` property for each event.
 * It dispatches events itself, because:
 * - workerd's EventTarget also calls `on…` properties of any target. On older compatibility dates a listener's error leaves
 *   its `dispatchEvent` and skips the remaining listeners and steps (measured);
 * - React Native has no EventTarget, and no event classes.
 */
import type { ListenOptions } from "../values/listeners.ts";
import { rethrow } from "../values/rethrow.ts";
import type { ClientEvents } from "./types.ts";

type Listener<E> = ((event: E) => void) | { handleEvent(event: E): void };
type AnyListener = Listener<Event> | null;
type Handler<E> = ((event: E) => void) | null;

type Entry = readonly [type: string, listener: Listener<Event>, once?: boolean | undefined];

interface Classes {
  readonly EventTarget?: new () => object;
  readonly Event?: new (type: string) => Event;
  readonly MessageEvent?: new (type: string, init: object) => Event;
  readonly CloseEvent?: new (type: string, init: object) => Event;
}

const classes = globalThis as Classes;

/** Only for `instanceof`. */
const Target: new () => object = classes.EventTarget ?? Object;

/** With other events than a plain socket's besides, where it is one that holds a plain one. */
export class ClientEventSource<Events extends ClientEvents = ClientEvents> extends Target {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  onopen: Handler<ClientEvents["open"]> = null;
  onmessage: Handler<ClientEvents["message"]> = null;
  onclose: Handler<ClientEvents["close"]> = null;
  onerror: Handler<ClientEvents["error"]> = null;
  ondisconnect: Handler<ClientEvents["disconnect"]> = null;
  onretry: Handler<ClientEvents["retry"]> = null;
  ondrop: Handler<ClientEvents["drop"]> = null;
  onstatus: Handler<ClientEvents["status"]> = null;
  onlatency: Handler<ClientEvents["latency"]> = null;
  #listeners: readonly Entry[] = [];

  addEventListener<Type extends keyof Events & string>(type: Type, listener: Listener<Events[Type]> | null, options?: ListenOptions): void;
  addEventListener(type: string, listener: AnyListener, options?: ListenOptions): void;
  addEventListener(type: string, listener: AnyListener, options?: ListenOptions): void {
    const { once, signal } = Object(options) as Exclude<ListenOptions, boolean>;
    if (!listener || signal?.aborted || this.#listeners.some((one) => one[0] === type && one[1] === listener)) return;
    this.#listeners = [...this.#listeners, [type, listener, once]];
    signal?.addEventListener("abort", () => this.removeEventListener(type, listener));
  }

  removeEventListener<Type extends keyof Events & string>(
    type: Type,
    listener: Listener<Events[Type]> | null,
    options?: ListenOptions,
  ): void;
  removeEventListener(type: string, listener: AnyListener, options?: ListenOptions): void;
  removeEventListener(type: string, listener: AnyListener): void {
    this.#listeners = this.#listeners.filter((one) => one[0] !== type || one[1] !== listener);
  }

  /** Calls the `on…` property, then the listeners in order. The runtime reports a listener's error; the others still run. */
  dispatchEvent(event: Event): boolean {
    for (const name of ["target", "currentTarget"]) Object.defineProperty(event, name, { value: this, configurable: true });
    const { type } = event;
    const call = (listener: AnyListener): void => {
      try {
        if (typeof listener === "function") listener.call(this, event);
        else listener?.handleEvent?.(event);
      } catch (error) {
        rethrow(error);
      }
    };
    call((this as unknown as Record<string, AnyListener>)[`on${type}`] as AnyListener);
    for (const entry of this.#listeners) {
      // Another listener may have removed it.
      if (entry[0] !== type || !this.#listeners.includes(entry)) continue;
      if (entry[2]) this.removeEventListener(type, entry[1]);
      call(entry[1]);
    }
    return !event.defaultPrevented;
  }
}

/** Dispatches an event of this class, or of the runtime's substitute: Node 22 has no CloseEvent, React Native no Event. */
export function fire<Events extends ClientEvents>(
  target: ClientEventSource<Events>,
  type: keyof Events & string,
  fields?: object,
  kind: Exclude<keyof Classes, "EventTarget"> = "Event",
  init: object = {},
): void {
  const { [kind]: Kind, Event: Plain } = classes;
  const event = Kind ? new Kind(type, init) : Object.assign(Plain ? new Plain(type) : { type }, init);
  target.dispatchEvent(Object.assign(event, fields) as Event);
}
