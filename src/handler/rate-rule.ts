/** The option `rate`, resolved. */

export interface RateRule {
  /** Per second. */
  readonly messages: number;
  readonly bytes: number;
  /** How many seconds' worth may come at once. */
  readonly burst: number;
  readonly over: "close" | "drop";
}

const MiB = 1024 * 1024;
const fallback: RateRule = { messages: 10_000, bytes: 64 * MiB, burst: 2, over: "close" };

/** @throws TypeError, RangeError with the name of the wrong setting. */
export function resolveRate(name: string, value: unknown): RateRule | undefined {
  if (value === undefined) return fallback;
  if (value === false) return undefined;
  if (typeof value !== "object" || value === null) {
    throw new TypeError(`option "${name}" must be false or an object with ${Object.keys(fallback).join(", ")} [EW125]`);
  }
  for (const key of Object.keys(value)) {
    if (!(key in fallback))
      throw new TypeError(`option "${name}" has the unknown key "${key}": known keys are ${Object.keys(fallback).join(", ")} [EW126]`);
  }
  const given = value as Partial<RateRule>;
  const limit: RateRule = {
    messages: positive(`${name}.messages`, given.messages ?? fallback.messages, 0.001, 1e9),
    bytes: positive(`${name}.bytes`, given.bytes ?? fallback.bytes, 1, 2 ** 40),
    burst: positive(`${name}.burst`, given.burst ?? fallback.burst, 0.001, 86_400),
    over: given.over ?? fallback.over,
  };
  if (limit.over !== "close" && limit.over !== "drop") throw new TypeError(`option "${name}.over" must be "close" or "drop" [EW127]`);
  return Object.freeze(limit);
}

function positive(name: string, value: unknown, least: number, most: number): number {
  if (typeof value !== "number")
    throw new TypeError(`option "${name}" must be a number, not ${value === null ? "null" : typeof value} [EW128]`);
  if (!(value >= least && value <= most)) throw new RangeError(`option "${name}" is ${value}: must be from ${least} to ${most} [EW129]`);
  return value;
}
