/** The options of `memory` and of `connect`, checked by name. */
import { show } from "../../src/values/text.ts";
import type { StorageOption } from "../../src/api/storage.ts";
import type { DurableStorage } from "../../src/ports.ts";
import type { SharedBackplane } from "../../src/server/cluster.ts";
import { checkBackplane, checkStorage } from "../shared/target.ts";
import type { ConnectOptions } from "./request.ts";
import type { GivenClock } from "./timers.ts";

/** What `memory` takes besides the handler. */
export interface MemoryOptions {
  /** Passed to hooks as `env`. Default: an empty object. */
  readonly env?: object;
  /** The time and the timers that the server goes by: `fakeClock()`, which a test moves, or another. Default: the global ones. */
  readonly clock?: GivenClock;
  /** Where rooms keep what they keep, as for `serve`. Default: in memory. */
  readonly storage?: StorageOption | DurableStorage;
  /** Rooms span the servers that share it, as for `serve`: `memoryBackplane()` of "edgewire/cluster". Such a server does not hibernate. Default: none. */
  readonly backplane?: SharedBackplane;
}

/** @throws TypeError with the option's name. */
export function checkOptions(options: MemoryOptions): MemoryOptions {
  checkNames("memory", options, ["env", "clock", "storage", "backplane"] satisfies (keyof MemoryOptions)[]);
  const { env, clock, storage, backplane } = options;
  checkStorage("memory", storage);
  checkBackplane("memory", backplane, storage);
  if (env !== undefined && (typeof env !== "object" || env === null))
    throw new TypeError(`memory: option "env" must be an object, not ${show(env)} [EW810]`);
  const lacking = clock === undefined ? undefined : clockMethods.find((name) => typeof Object(clock)[name] !== "function");
  if (lacking !== undefined)
    throw new TypeError(
      `memory: option "clock" must be a clock, such as fakeClock(): it needs the methods ${clockMethods.join(", ")}, and has no ${lacking} [EW811]`,
    );
  return options;
}

const clockMethods = ["setTimeout", "clearTimeout", "now"] as const satisfies (keyof GivenClock)[];

/** @throws TypeError with the option's name. */
export function checkConnect(options: ConnectOptions): void {
  checkNames("connect", options, ["headers", "protocols", "remoteAddress", "vars"] satisfies (keyof ConnectOptions)[]);
  const { protocols, remoteAddress, vars } = options;
  if (protocols !== undefined && !Array.isArray(protocols))
    throw new TypeError(`connect: option "protocols" must be an array of strings, not ${show(protocols)} [EW812]`);
  if (remoteAddress !== undefined && typeof remoteAddress !== "string")
    throw new TypeError(`connect: option "remoteAddress" must be a string, not ${show(remoteAddress)} [EW813]`);
  if (vars !== undefined && (typeof vars !== "object" || vars === null))
    throw new TypeError(`connect: option "vars" must be an object, not ${show(vars)} [EW814]`);
}

function checkNames(who: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null)
    throw new TypeError(`${who} takes an object of options, not ${show(options)} [EW815]`);
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new TypeError(`${who}: unknown option "${unknown}": options are ${known.join(", ")} [EW105]`);
}
