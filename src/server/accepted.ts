/** What an `upgrade` hook returned, as what the connection starts from. */
import { isHandshakeHeader } from "../protocol/handshake.ts";
import { isResponse } from "../protocol/refusal.ts";
import type { DefinedHandler } from "../handler/define.ts";
import { checkSnapshot } from "../connection/snapshot.ts";
import { toTime } from "../time/time.ts";
import { checkHeaderValues } from "../protocol/sendable.ts";
import type { RequestHead } from "../protocol/request.ts";
import { checkName, ownText } from "../values/text.ts";
import type { HeadersInput, UpgradeContext, UpgradeResult } from "../api/handler.ts";
import { deliveryOf } from "./delivery.ts";
import type { AskedDelivery } from "./delivery.ts";
import type { Accepted } from "./runtime.ts";
import type { Snapshot } from "../ports.ts";
import { cut, quoted } from "../values/log.ts";

const resultKeys: readonly string[] = [
  "state",
  "room",
  "protocol",
  "expiresAt",
  "subject",
  "refresh",
  "headers",
] satisfies (keyof UpgradeResult)[];

/** What the client offers. */
export interface Offered {
  /** The application's subprotocols. */
  readonly offered: readonly string[];
  readonly positions: string | undefined;
  /** Undefined for a client without delivery. */
  readonly asked: AskedDelivery | undefined;
}

export function accepted<State, Env>(
  handler: DefinedHandler<State, Env>,
  request: RequestHead,
  { offered, positions, asked }: Offered,
  result: UpgradeResult<State> | void,
  context: UpgradeContext<Env>,
  defaultRoom: string | undefined,
): Accepted | Response {
  const { state, room = defaultRoom, protocol, expiresAt, subject, refresh, headers } = checkResult(result);
  if (room === undefined) {
    throw new TypeError("no room was chosen: return { room } from upgrade, or mount the handler on a route with a :room parameter [EW226]");
  }
  checkName("room", room, handler.settings.maxName);
  if (protocol !== undefined && protocol !== "" && !offered.includes(protocol)) {
    throw new TypeError(
      `upgrade selected the subprotocol ${quoted(protocol)}, which the client did not offer (${cut(offered.join(", ")) || "none"}) [EW227]`,
    );
  }
  const snapshot: Snapshot = {
    id: makeId(),
    room: ownText(room),
    url: request.url,
    protocol: ownText(protocol ?? handler.settings.protocols.find((one) => offered.includes(one)) ?? ""),
    remoteAddress: context.remoteAddress,
    version: handler.settings.version,
    state,
    topics: [],
    phase: "open",
  };
  const expiring = expiresAt === undefined ? snapshot : { ...snapshot, expiresAt: toTime("expiresAt of upgrade", expiresAt) };
  checkSnapshot(expiring, handler.settings.maxState);
  const delivery =
    asked === undefined ? undefined : deliveryOf(handler.settings)?.choose(asked, { protocol: snapshot.protocol, subject, refresh });
  if (isResponse(delivery)) return delivery;
  return {
    snapshot: expiring,
    // Only a replay needs them.
    ...(positions === undefined || handler.settings.history === undefined ? {} : { positions: ownText(positions) }),
    ...(delivery === undefined ? {} : { delivery }),
    headers: checkHeaders(headers),
  };
}

function makeId(): string {
  const id = crypto.randomUUID();
  // Node builds it from 14 strings. V8 would keep those, 450 bytes, until a character of the id is read.
  id.charCodeAt(0);
  return id;
}

function checkResult<State>(result: UpgradeResult<State> | void): UpgradeResult<State> {
  if (result === undefined || result === null) return {};
  if (typeof result !== "object")
    throw new TypeError(`upgrade must return an object, a Response or nothing, not a ${typeof result} [EW228]`);
  for (const name of Object.keys(result)) {
    if (!resultKeys.includes(name))
      throw new TypeError(`upgrade returned the unknown key "${name}": known keys are ${resultKeys.join(", ")} [EW229]`);
  }
  return result;
}

function checkHeaders(init: HeadersInput | undefined): Headers | undefined {
  if (init === undefined) return undefined;
  const headers = new Headers(init);
  for (const [name] of headers) {
    if (isHandshakeHeader(name))
      throw new TypeError(`upgrade can't set the header "${name}": the handshake does (select a subprotocol with { protocol }) [EW230]`);
  }
  checkHeaderValues("upgrade", headers);
  return headers;
}
