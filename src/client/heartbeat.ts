/** Text pings while a connection is open. Every Edgewire server answers them: without an answer, the connection is dead. */
import { pingText, pongText } from "../protocol/text-ping.ts";
import { fire, type ClientEventSource } from "./events.ts";
import type { ClientSettings } from "./options.ts";
import type { NativeSocket } from "./types.ts";

export interface Heartbeat {
  /** Milliseconds of the last answered ping's round trip; undefined before the first. */
  latency(): number | undefined;
  start(native: NativeSocket): void;
  stop(): void;
  /** Sends a ping, unless an answer is already due or there is no heartbeat. */
  ping(): void;
  /** Called for every message. True for an answer to a ping, which is not for the application. */
  heard(data: unknown): boolean;
}

/** The `latency` event of `source` follows each answer. */
export function makeHeartbeat(source: ClientEventSource, { heartbeat, heartbeatTimeout }: ClientSettings, dead: () => void): Heartbeat {
  let native: NativeSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** A ping waits for its answer. */
  let due = false;
  let pingedAt = 0;
  let latency: number | undefined;

  function after(milliseconds: number, then: () => void): void {
    clearTimeout(timer);
    timer = setTimeout(then, milliseconds);
  }

  /** After sleep, a page or machine may run a due timer before it reads the answer that already came: hence two halves. */
  function expect(): void {
    const half = heartbeatTimeout / 2;
    after(half, () => after(half, dead));
  }

  function ping(): void {
    if (due || !heartbeat || native?.readyState !== 1) return;
    due = true;
    pingedAt = Date.now();
    expect();
    try {
      native.send(pingText);
    } catch {
      // Then no answer comes.
    }
  }

  return {
    latency: () => latency,
    start(opened) {
      native = opened;
      ping();
    },
    stop() {
      native = undefined;
      due = false;
      clearTimeout(timer);
    },
    ping,
    heard(data) {
      // A large message ahead of the answer is a sign of life too.
      if (due) expect();
      if (data !== pongText) return false;
      if (due) {
        due = false;
        latency = Date.now() - pingedAt;
        after(heartbeat, ping);
        fire(source, "latency");
      }
      return true;
    },
  };
}
