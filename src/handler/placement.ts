/** The options `jurisdiction` and `locationHint`. */
import type { Placement } from "../api/options.ts";
import { show } from "../values/text.ts";

/** Checks only the form, since Cloudflare adds names. There, a misspelt jurisdiction is an error and a misspelt hint is ignored. */
function placeName(name: string, value: unknown, example: string): string {
  if (typeof value !== "string" || !/^[a-z]+(-[a-z]+)*$/.test(value)) {
    throw new TypeError(`option "${name}" must be one of Cloudflare's names, like "${example}", not ${show(value)} [EW124]`);
  }
  return value;
}

/** @throws TypeError with the option's name. */
export function checkJurisdiction(name: string, value: unknown): string {
  return placeName(name, value, "eu");
}

/** @throws TypeError with the option's name. */
export function checkLocationHint(name: string, value: unknown): NonNullable<Placement["locationHint"]> {
  return typeof value === "function" ? (value as (room: string) => string) : placeName(name, value, "weur");
}

const checks: Readonly<Record<string, (name: string, value: unknown) => unknown>> = {
  jurisdiction: checkJurisdiction,
  locationHint: checkLocationHint,
};

/** @throws TypeError with the option's name. */
export function checkPlacement(placement: Placement): Placement {
  for (const [name, value] of Object.entries(placement)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (check === undefined) throw new TypeError(`unknown option "${name}": options are ${Object.keys(checks).join(", ")} [EW105]`);
    if (value !== undefined) check(name, value);
  }
  return placement;
}
