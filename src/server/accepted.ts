/** What an `upgrade` hook returned, as what the connection starts from. */
import { isHandshakeHeader } from "../protocol/handshake.ts";
import { outerProtocol } from "../protocol/delivery.ts";
import type { DeliveryOffer } from "../protocol/delivery.ts";
import { refuse } from "../protocol/refusal.ts";
import type { DefinedHandler } from "../handler/define.ts";
import { checkSnapshot } from "../connection/snapshot.ts";
import { toTime } from "../time/time.ts";
import { checkHeaderValues } from "../protocol/sendable.ts";
import type { RequestHead } from "../protocol/request.ts";
import { checkName, isName, longestName, ownText, show } from "../values/text.ts";
import type { HeadersInput, UpgradeContext, UpgradeResult } from "../api/handler.ts";
import type { Accepted, OpeningDelivery } from "./runtime.ts";
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
  readonly asked: DeliveryOffer | undefined;
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
    throw new TypeError("no room was chosen: return { room } from upgrade, or mount the handler on a route with a :room parameter");
  }
  checkName("room", room, handler.settings.maxName);
  if (protocol !== undefined && protocol !== "" && !offered.includes(protocol)) {
    throw new TypeError(
      `upgrade selected the subprotocol ${quoted(protocol)}, which the client did not offer (${cut(offered.join(", ")) || "none"})`,
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
  if (asked?.inner.includes(snapshot.protocol) === false)
    return refuse(400, `Sec-WebSocket-Protocol must offer ${outerProtocol(snapshot.protocol)}, which this server selects`, {}, "delivery");
  if (subject !== undefined) checkSubject(subject);
  const expiring = expiresAt === undefined ? snapshot : { ...snapshot, expiresAt: toTime("expiresAt of upgrade", expiresAt) };
  checkSnapshot(expiring, handler.settings.maxState);
  return {
    snapshot: expiring,
    // Only a replay needs them.
    ...(positions === undefined || handler.settings.history === undefined ? {} : { positions: ownText(positions) }),
    ...(asked === undefined ? {} : { delivery: openingDelivery(asked, subject, refresh) }),
    headers: checkHeaders(headers),
  };
}

function openingDelivery({ resume }: DeliveryOffer, subject: string | undefined, refresh: boolean | undefined): OpeningDelivery {
  return {
    ...(resume === undefined ? {} : { resume: ownText(resume) }),
    ...(subject === undefined ? {} : { subject: ownText(subject) }),
    ...(refresh === true ? { refresh } : {}),
  };
}

function checkSubject(subject: unknown): void {
  if (!isName(subject))
    throw new TypeError(`upgrade returned the subject ${show(subject)}: must be a well-formed string of 1 to ${longestName} bytes`);
}

function makeId(): string {
  const id = crypto.randomUUID();
  // Node builds it from 14 strings. V8 would keep those, 450 bytes, until a character of the id is read.
  id.charCodeAt(0);
  return id;
}

function checkResult<State>(result: UpgradeResult<State> | void): UpgradeResult<State> {
  if (result === undefined || result === null) return {};
  if (typeof result !== "object") throw new TypeError(`upgrade must return an object, a Response or nothing, not a ${typeof result}`);
  for (const name of Object.keys(result)) {
    if (!resultKeys.includes(name))
      throw new TypeError(`upgrade returned the unknown key "${name}": known keys are ${resultKeys.join(", ")}`);
  }
  return result;
}

function checkHeaders(init: HeadersInput | undefined): Headers | undefined {
  if (init === undefined) return undefined;
  const headers = new Headers(init);
  for (const [name] of headers) {
    if (isHandshakeHeader(name))
      throw new TypeError(`upgrade can't set the header "${name}": the handshake does (select a subprotocol with { protocol })`);
  }
  checkHeaderValues("upgrade", headers);
  return headers;
}
