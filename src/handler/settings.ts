/**
 * Every option's default and range, resolved once per handler. The core enforces them; an adapter uses
 * its runtime's own setting where there is one.
 */
import type { Delivery } from "../api/delivery.ts";
import { boolean, integer } from "../values/checks.ts";
import type { Check } from "../values/checks.ts";
import type { HistoryRule } from "./history-rule.ts";
import { historyRule } from "./history-rule.ts";
import { compileHosts } from "../protocol/hosts.ts";
import type { HostRule } from "../protocol/hosts.ts";
import { compileOrigins } from "../protocol/origin.ts";
import type { OriginRule } from "../protocol/origin.ts";
import { compileProxies } from "../protocol/forwarded.ts";
import type { ProxyRule } from "../protocol/forwarded.ts";
import { checkJurisdiction, checkLocationHint } from "./placement.ts";
import { resolveRate } from "./rate-rule.ts";
import { checkObserver } from "./observe.ts";
import type { Observer } from "../api/observer.ts";
import type { RateRule } from "./rate-rule.ts";
import { longestTimer } from "../time/time.ts";
import { isToken, longestName, show } from "../values/text.ts";
import type { Heartbeat, Origins, Placement } from "../api/options.ts";

/** Options with defaults filled in. */
export interface Settings {
  readonly origins: OriginRule;
  readonly hosts: HostRule | undefined;
  readonly protocols: readonly string[];
  readonly requireProtocol: boolean;
  readonly trustProxy: ProxyRule;
  readonly maxPayload: number;
  readonly maxBuffered: number;
  readonly slowConsumer: "close" | "drop" | "coalesce";
  readonly highWaterMark: number;
  readonly maxQueued: number;
  readonly rate: RateRule | undefined;
  readonly maxConnections: number;
  readonly maxConnectionsPerRoom: number;
  readonly maxConnectionsPerAddress: number | undefined;
  readonly maxTopics: number;
  readonly maxName: number;
  readonly compression: boolean;
  readonly upgradeTimeout: number;
  readonly closeTimeout: number;
  readonly heartbeat: Required<Heartbeat> | false;
  readonly history: HistoryRule | undefined;
  readonly delivery: Delivery | undefined;
  readonly maxState: number;
  readonly observe: Observer | undefined;
  readonly binding: string | undefined;
  readonly jurisdiction: Placement["jurisdiction"] | undefined;
  readonly locationHint: Placement["locationHint"] | undefined;
  readonly version: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;

const defaultHeartbeat: Required<Heartbeat> = { interval: 30_000, timeout: 10_000 };
const day = 86_400_000;
/** A number of connections beyond the file descriptors of any machine. */
const mostConnections = 100_000_000;

const checks: { readonly [Name in keyof Settings]: readonly [Check<Settings[Name]>, Settings[Name]] } = {
  origins: [(_, value) => compileOrigins(value as Origins), compileOrigins([])],
  hosts: [compileHosts, undefined],
  protocols: [protocolList, []],
  requireProtocol: [boolean, false],
  trustProxy: [compileProxies, compileProxies("trustProxy", false)],
  // workerd accepts messages of up to 32 MiB, and leaves the client of a larger one hanging.
  maxPayload: [integer(1, 32 * MiB - 1), MiB],
  maxBuffered: [integer(1, 1024 * MiB), 16 * MiB],
  slowConsumer: [oneOf("close", "drop", "coalesce"), "close"],
  highWaterMark: [integer(1, 1024 * MiB), 64 * KiB],
  maxQueued: [integer(1, 1_000_000), 4096],
  rate: [resolveRate, resolveRate("rate", undefined)],
  maxConnections: [integer(1, mostConnections), 65_536],
  // The maximum of a Durable Object (Cloudflare's documentation, WebSocket hibernation); the default is the same everywhere.
  maxConnectionsPerRoom: [integer(1, mostConnections), 32_768],
  maxConnectionsPerAddress: [integer(1, mostConnections), undefined],
  maxTopics: [integer(1, 1_000_000), 1000],
  maxName: [integer(1, longestName), longestName],
  compression: [boolean, false],
  upgradeTimeout: [integer(1, longestTimer), 10_000],
  closeTimeout: [integer(1, longestTimer), 10_000],
  heartbeat: [heartbeat, defaultHeartbeat],
  history: [historyRule, undefined],
  delivery: [deliveryPart, undefined],
  // `Request.cf` escapes its quotes and backslashes once more: with the rest, that takes half of the allowed 1 MB.
  maxState: [integer(1, 256 * KiB), 64 * KiB],
  observe: [(_, value) => checkObserver(value), undefined],
  binding: [bindingName, undefined],
  jurisdiction: [checkJurisdiction, undefined],
  locationHint: [checkLocationHint, undefined],
  version: [integer(0, Number.MAX_SAFE_INTEGER), 0],
};

/** @throws TypeError, RangeError with the option's name. */
export function resolveOptions(options: Record<string, unknown>, hooks: readonly string[]): Settings {
  for (const name of Object.keys(options)) {
    if (!(name in checks)) {
      throw new TypeError(`unknown option "${name}": hooks are ${hooks.join(", ")}; options are ${Object.keys(checks).join(", ")} [EW105]`);
    }
  }
  // All names exist from the start. If so many properties were added one by one, V8 would keep a hash table, and looking into it was half
  // of a message's cost in the core.
  const settings: Record<string, unknown> = { ...checks };
  for (const [name, [check, fallback]] of Object.entries(checks)) {
    settings[name] = options[name] === undefined ? fallback : check(name, options[name]);
  }
  // `checks` has an entry of the right type for every key.
  const resolved = settings as { -readonly [Name in keyof Settings]: Settings[Name] };
  if (resolved.highWaterMark > resolved.maxBuffered) {
    throw new RangeError(
      `option "highWaterMark" (${resolved.highWaterMark}) must not exceed "maxBuffered" (${resolved.maxBuffered}) [EW131]`,
    );
  }
  if (resolved.requireProtocol && resolved.protocols.length === 0) {
    throw new TypeError('option "requireProtocol" needs "protocols" to choose from [EW132]');
  }
  checkTogether(options, resolved);
  return Object.freeze(resolved);
}

function heartbeat(name: string, value: unknown): Required<Heartbeat> | false {
  if (value === false) return false;
  if (typeof value !== "object" || value === null)
    throw new TypeError(`option "${name}" must be { interval, timeout } or false, not ${show(value)} [EW133]`);
  const resolved: { -readonly [Name in keyof Heartbeat]-?: number } = { ...defaultHeartbeat };
  for (const [key, given] of Object.entries(value)) {
    if (key !== "interval" && key !== "timeout")
      throw new TypeError(`option "${name}" has no ${show(key)}: it takes interval and timeout [EW134]`);
    // Below 100 ms it would measure the machine, not the client.
    if (given !== undefined) resolved[key] = integer(100, day)(`${name}.${key}`, given);
  }
  return Object.freeze(resolved);
}

/** Rejects options that contradict each other; a default gives way to an explicit option. */
function checkTogether(options: Record<string, unknown>, { rate, ...settings }: Settings): void {
  for (const name of ["maxConnectionsPerRoom", "maxConnectionsPerAddress"] as const) {
    const value = settings[name] ?? 0;
    if (options[name] !== undefined && value > settings.maxConnections) {
      throw new RangeError(`option "${name}" (${value}) must not exceed "maxConnections" (${settings.maxConnections}) [EW135]`);
    }
  }
  if (rate !== undefined && rate.bytes * rate.burst < settings.maxPayload) {
    throw new RangeError(
      `option "rate" allows ${rate.bytes * rate.burst} bytes at once (bytes × burst): must be at least "maxPayload" (${settings.maxPayload}) [EW136]`,
    );
  }
  if (rate !== undefined && rate.messages * rate.burst < 1) {
    throw new RangeError(
      `option "rate" allows ${rate.messages * rate.burst} messages at once (messages × burst): must be at least 1 [EW137]`,
    );
  }
}

function deliveryPart(name: string, value: unknown): Delivery {
  if (typeof value !== "object" || value === null || !("sessions" in value))
    throw new TypeError(`option "${name}" must be what delivery() of "edgewire/delivery" returns, not ${show(value)} [EW138]`);
  return value as unknown as Delivery;
}

function oneOf<T extends string>(...values: T[]): Check<T> {
  return (name, value) => {
    if (!values.includes(value as T))
      throw new TypeError(`option "${name}" must be ${values.map((one) => `"${one}"`).join(" or ")}, not ${show(value)} [EW139]`);
    return value as T;
  };
}

function protocolList(name: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw new TypeError(`option "${name}" must be an array of subprotocol names, not ${show(value)} [EW140]`);
  for (const protocol of value as unknown[]) {
    if (typeof protocol !== "string" || !isToken(protocol)) {
      throw new TypeError(`option "${name}" has ${show(protocol)}, which is not a subprotocol name (an RFC 9110 token) [EW141]`);
    }
  }
  if (new Set(value).size !== value.length) throw new TypeError(`option "${name}" names a subprotocol twice [EW142]`);
  return Object.freeze([...(value as string[])]);
}

function bindingName(name: string, value: unknown): string {
  if (typeof value !== "string" || value === "") {
    throw new TypeError(`option "${name}" must be the name of a Durable Object binding in wrangler.toml, not ${show(value)} [EW143]`);
  }
  return value;
}
