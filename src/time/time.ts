/** Points in time, and the limits of timers. */

/** The latest time that a Date can hold. */
const latest = 8.64e15;

/** Milliseconds since 1970. @throws TypeError if `given` is not a valid time. */
export function toTime(subject: string, given: Date | number): number {
  if (!isTime(given)) throw new TypeError(`${subject} takes a Date or milliseconds since 1970, not ${describeTime(given)} [EW238]`);
  return Number(given);
}

export function isTime(given: unknown): given is Date | number {
  return (typeof given === "number" || given instanceof Date) && Math.abs(Number(given)) <= latest;
}

export function describeTime(given: unknown): string {
  return given instanceof Date ? "an invalid Date" : typeof given === "string" ? `"${given}"` : String(given);
}

/** Timers hold a signed 32-bit number of milliseconds; a longer one fires at once. */
export const longestTimer: number = 2 ** 31 - 1;
