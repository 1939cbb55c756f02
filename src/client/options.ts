/** The client's options: one default each, checked by name. Every byte here is in each page that loads the client. */
import { finalCloseCodes } from "../protocol/close.ts";
import type { ClientOptions } from "./types.ts";

/** Options with defaults filled in. */
export type ClientSettings = Required<ClientOptions>;

/** A new object each time: it has a signal. */
export function clientDefaults(): ClientSettings {
  return {
    firstDelay: 1000,
    maxDelay: 30_000,
    connectTimeout: 10_000,
    stableAfter: 5000,
    heartbeat: 30_000,
    heartbeatTimeout: 10_000,
    queueMessages: 1000,
    queueBytes: 2 ** 20,
    backlogBytes: 2 ** 26,
    finalCodes: finalCloseCodes,
    signal: new AbortController().signal,
    WebSocket: globalThis.WebSocket ?? (() => {}),
  };
}

/** @param settings the defaults, which the given options replace. @throws TypeError, RangeError with the option's name. */
export function resolveOptions<Settings extends object>(settings: Settings, options: Partial<Settings>): Settings {
  for (const [name, value] of Object.entries(options) as [string, number][]) {
    const kind = (settings as Record<string, unknown>)[name]?.constructor;
    // Without a delay, attempts would follow each other endlessly. A timer of more than 2147483647 ms fires at once.
    const least = /Delay|Timeout/.test(name) ? 1 : 0;
    const right = kind === Number ? value >= least && value < 2 ** 31 : kind && Object(value) instanceof kind;
    if (value === undefined) continue;
    if (!right) {
      const expected = kind === Number ? `${least} to 2147483647` : (kind?.name ?? Object.keys(settings));
      throw new (kind === Number ? RangeError : TypeError)(`option "${name}" is ${value}: expected ${expected}`);
    }
    (settings as Record<string, unknown>)[name] = value;
  }
  return settings;
}
