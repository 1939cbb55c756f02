/** Checks of option values, and of ids. */
import { show } from "./text.ts";

/** @throws TypeError, RangeError with the option's name. */
export type Check<T> = (name: string, value: unknown) => T;

export function integer(least: number, most: number): Check<number> {
  return (name, value) => {
    if (typeof value !== "number") throw new TypeError(`option "${name}" must be a number, not ${show(value)} [EW128]`);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new RangeError(`option "${name}" is ${value}: must be a whole number from ${least} to ${most} [EW152]`);
    }
    return value;
  };
}

export function boolean(name: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw new TypeError(`option "${name}" must be true or false, not ${show(value)} [EW153]`);
  return value;
}

/** @throws TypeError for anything but a string; any other text is the id of no connection. */
export function checkConnectionId(id: unknown): void {
  if (typeof id !== "string") throw new TypeError(`a connection's id is a string, not ${show(id)} [EW154]`);
}
