/** The options of `delivery`, with defaults and ranges. */
import type { DeliveryOptions, DeliverySettings } from "../../api/delivery.ts";
import { boolean, integer } from "../../values/checks.ts";
import type { Check } from "../../values/checks.ts";
import { show } from "../../values/text.ts";
import { maxLogs } from "../frames.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const day = 86_400_000;

const checks: { readonly [Name in keyof DeliverySettings]: readonly [Check<DeliverySettings[Name]>, DeliverySettings[Name]] } = {
  resumeTimeout: [integer(0, day), 120_000],
  rememberAcknowledged: [integer(0, 7 * day), day],
  window: [integer(2 * KiB, 16 * MiB), 64 * KiB],
  directLog: [directLog, { messages: 4096, bytes: MiB }],
  maxInFlight: [integer(1, 4096), 64],
  maxLogs: [integer(1, maxLogs), maxLogs],
  required: [boolean, false],
  maxDisconnected: [integer(0, 1_000_000), 10_000],
};

/** @throws TypeError, RangeError with the option's name. */
export function resolveDelivery(options: DeliveryOptions): DeliverySettings {
  if (typeof options !== "object" || options === null)
    throw new TypeError(`delivery takes an object with options, not ${show(options)} [EW407]`);
  checkNames("delivery", options, Object.keys(checks));
  const settings: Record<string, unknown> = {};
  for (const [name, [check, fallback]] of Object.entries(checks)) {
    const value = options[name as keyof DeliveryOptions];
    settings[name] = value === undefined ? fallback : check(`delivery.${name}`, value);
  }
  // `checks` has an entry of the right type for every key.
  return Object.freeze(settings) as unknown as DeliverySettings;
}

function directLog(name: string, value: unknown): DeliverySettings["directLog"] {
  if (typeof value !== "object" || value === null)
    throw new TypeError(`option "${name}" must be { messages, bytes }, not ${show(value)} [EW408]`);
  checkNames(`option "${name}"`, value, ["messages", "bytes"]);
  const { messages = 4096, bytes = MiB } = value as { readonly messages?: unknown; readonly bytes?: unknown };
  return Object.freeze({
    messages: integer(1, 1_000_000)(`${name}.messages`, messages),
    bytes: integer(1, 1024 * MiB)(`${name}.bytes`, bytes),
  });
}

function checkNames(caller: string, value: object, names: readonly string[]): void {
  for (const name of Object.keys(value))
    if (!names.includes(name)) throw new TypeError(`${caller}: unknown option "${name}": options are ${names.join(", ")} [EW105]`);
}
