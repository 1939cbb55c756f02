/** Checks the arguments of `serve` and `attach`; its errors name the invalid one. */
import { checkHandler } from "../../src/handler/define.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { closeOptions, resolveClose } from "../../src/server/shutdown.ts";
import { show } from "../../src/values/text.ts";
import type { Fetch } from "./mounted-handlers.ts";

interface Given {
  readonly fetch?: Fetch | undefined;
}

const known = {
  serve: ["port", "hostname", "fetch", "tls", "env", "storage", "backplane", "signals"],
  attach: ["path", "fetch", "env", "storage", "backplane"],
} as const;

/**
 * Distinguishes `serve(handler, options)` from `serve({ fetch, …options })`.
 * @throws TypeError, RangeError if the arguments have neither form, or an option is unknown or invalid.
 */
export function readTarget<Options extends Given>(
  who: keyof typeof known,
  target: DefinedHandler | Options,
  given: Options,
): { handler: DefinedHandler | undefined; options: Options } {
  const alone = typeof target === "object" && target !== null && "fetch" in target;
  if (!alone) checkHandler(who, target);
  const options = alone ? target : given;
  checkOptions(who, options as unknown as Record<string, unknown>);
  return { handler: alone ? undefined : (target as DefinedHandler), options };
}

function checkOptions(who: keyof typeof known, options: Record<string, unknown>): void {
  for (const name of Object.keys(options)) {
    if (!(known[who] as readonly string[]).includes(name)) {
      throw new TypeError(`${who}: unknown option "${name}": options are ${known[who].join(", ")} [EW105]`);
    }
  }
  if (options["signals"] !== undefined) checkSignals(options["signals"]);
  const { fetch, path, storage, backplane } = options;
  checkStorage(who, storage);
  checkBackplane(who, backplane, storage);
  if (fetch !== undefined && typeof fetch !== "function") throw new TypeError(`${who}: option "fetch" must be a function [EW644]`);
  if (path !== undefined && typeof path !== "string") {
    throw new TypeError(`${who}: option "path" must be a string [EW645]`);
  }
}

function checkSignals(signals: unknown): void {
  if (signals === false) return;
  if (typeof signals !== "object" || signals === null)
    throw new TypeError('serve: option "signals" must be false, or an object of options [EW646]');
  const { raise, ...closing } = signals as { raise?: unknown };
  const unknown = Object.keys(closing).find((name) => !closeOptions.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(
      `serve: option "signals" has an unknown option "${unknown}": options are ${closeOptions.join(", ")}, raise [EW647]`,
    );
  }
  if (raise !== undefined && typeof raise !== "boolean") throw new TypeError('serve: option "signals.raise" must be true or false [EW648]');
  resolveClose(closing);
}

/** @throws TypeError that starts with `who`. */
export function checkStorage(who: string, storage: unknown): void {
  if (storage === undefined || typeof storage === "function") return;
  if (typeof storage === "object" && storage !== null && "open" in storage && typeof storage.open === "function") return;
  throw new TypeError(
    `${who}: option "storage" must be what sqlite() of "edgewire/sqlite" returns, or a function that takes a room's name and returns its values, not ${show(storage)} [EW649]`,
  );
}

/** @throws TypeError that starts with `who`. */
export function checkBackplane(who: string, backplane: unknown, storage: unknown): void {
  if (backplane === undefined) return;
  if (typeof Object(backplane).share !== "function")
    throw new TypeError(
      `${who}: option "backplane" must be what redis() of "edgewire/redis", or memoryBackplane() or clustered() of "edgewire/cluster" returns, not ${show(backplane)} [EW660]`,
    );
  if (typeof storage === "object")
    throw new TypeError(
      `${who}: give only one of "storage" and "backplane": where rooms span servers, the backplane keeps what they keep [EW661]`,
    );
}
