/** The option `history`, resolved: what each topic keeps. */
import { integer } from "../values/checks.ts";
import { show } from "../values/text.ts";
import type { HistoryEncoder } from "../api/history.ts";

/** What a topic keeps; undefined for nothing. */
export interface HistoryRule {
  (topic: string): HistoryRules | undefined;
  /** Whether any topic may have `seconds`. */
  readonly expires: boolean;
}

const MiB = 1024 * 1024;

/** @throws TypeError, RangeError with the name of the wrong setting; for a function, when it is called. */
export function historyRule(name: string, value: unknown): HistoryRule {
  if (typeof value === "function") {
    const choose = value as (topic: string) => unknown;
    return expiring(true, (topic) => {
      const chosen = choose(topic);
      return chosen === undefined ? undefined : historyRules(`${name} of "${topic}"`, chosen);
    });
  }
  if (typeof value !== "object" || value === null) {
    throw new TypeError(
      `option "${name}" must be an object of settings by topic, or a function that returns a topic's settings, not ${show(value)} [EW114]`,
    );
  }
  const topics = new Map(Object.entries(value).map(([topic, given]) => [topic, historyRules(`${name}.${topic}`, given)]));
  return expiring(
    [...topics.values()].some(({ seconds }) => seconds < Number.POSITIVE_INFINITY),
    (topic) => topics.get(topic),
  );
}

function expiring(expires: boolean, rule: (topic: string) => HistoryRules | undefined): HistoryRule {
  return Object.assign(rule, { expires });
}

function historyRules(name: string, value: unknown): HistoryRules {
  if (typeof value !== "object" || value === null)
    throw new TypeError(`option "${name}" must be { messages, bytes, seconds, encode }, not ${show(value)} [EW115]`);
  for (const key of Object.keys(value)) {
    if (!["messages", "bytes", "seconds", "encode"].includes(key))
      throw new TypeError(`option "${name}" has the unknown setting "${key}" [EW116]`);
  }
  const { messages = 100, bytes = MiB, seconds, encode } = value as { readonly [Name in keyof HistoryRules]?: unknown };
  if (encode !== undefined && typeof encode !== "function")
    throw new TypeError(`option "${name}.encode" must be a function, not ${show(encode)} [EW117]`);
  const { start } = (encode ?? {}) as { readonly start?: unknown };
  if (start !== undefined && typeof start !== "function")
    throw new TypeError(`option "${name}.encode.start" must be a function, not ${show(start)} [EW118]`);
  return {
    messages: integer(1, 10_000)(`${name}.messages`, messages),
    bytes: integer(1, 1024 * MiB)(`${name}.bytes`, bytes),
    seconds: seconds === undefined ? Number.POSITIVE_INFINITY : integer(1, 315_360_000)(`${name}.seconds`, seconds),
    encode: encode as HistoryRules["encode"],
  };
}

/** A topic's settings with defaults filled in. */
export interface HistoryRules {
  readonly messages: number;
  /** Text counts its UTF-16 units. */
  readonly bytes: number;
  /** Infinity if there is no limit. */
  readonly seconds: number;
  readonly encode: HistoryEncoder | undefined;
}
