/** A server's handshakes: decided before the 101, counted when refused, and refused when the server closes. */
import type { MaybePromise } from "../api/connection.ts";
import type { ErrorContext } from "../api/handler.ts";
import type { Counters } from "../handler/counters.ts";
import type { DefinedHandler } from "../handler/define.ts";
import type { Clock, Snapshot } from "../ports.ts";
import { forwarded } from "../protocol/forwarded.ts";
import { isList, readHead, refuseHost, refuseList } from "../protocol/handshake.ts";
import { locate, readable } from "../protocol/locate.ts";
import { causeOf, isResponse, refuseClosing } from "../protocol/refusal.ts";
import { fieldOf, wholeIfAny } from "../protocol/request.ts";
import type { RequestHead } from "../protocol/request.ts";
import { hostOf } from "../protocol/url.ts";
import type { Capacity } from "../rooms/capacity.ts";
import type { Opened, SharedRooms } from "../rooms/shared.ts";
import { isPromise } from "../values/promise.ts";
import type { Accepted, OpeningDelivery, Runtime } from "./runtime.ts";
import { acceptUpgrade } from "./upgrade.ts";
import type { Upgrade, UpgradeOptions, UpgradeSite } from "./upgrade.ts";

/** What is needed of the server. */
export interface HandshakeHost<State, Env> {
  readonly handler: DefinedHandler<State, Env>;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly registry: { readonly capacity: Capacity; readonly shared: Pick<SharedRooms<State, Env>, "admit"> | undefined } | undefined;
  readonly sessions: UpgradeSite["sessions"];
  /** Set once the server closes. */
  readonly shutdown: object | undefined;
  /** Refuses the handshakes that wait for their `upgrade` hook. Created for the first one. */
  pendingHandshakes: Set<() => void> | undefined;
  failed(error: unknown, context: ErrorContext<State, Env>): MaybePromise<void>;
}

/** Synchronous if the `upgrade` hook is. */
export function decideHandshake<State, Env>(
  host: HandshakeHost<State, Env>,
  request: RequestHead,
  options: UpgradeOptions<Env>,
): MaybePromise<Upgrade> {
  const decided = (upgrade: Upgrade): Upgrade => {
    if (isResponse(upgrade)) noteRefusal(host, upgrade.status, causeOf(upgrade), request, options);
    return upgrade;
  };
  // Only with the option `rethrow`.
  const threw = (error: unknown): never => {
    noteRefusal(host, 500, "error", request, options);
    throw error;
  };
  try {
    const upgrade = decide(host, request, options);
    return isPromise(upgrade) ? upgrade.then(decided, threw) : decided(upgrade);
  } catch (error) {
    return threw(error);
  }
}

function decide<State, Env>(host: HandshakeHost<State, Env>, request: RequestHead, options: UpgradeOptions<Env>): MaybePromise<Upgrade> {
  if (host.shutdown !== undefined) return refuseClosing();
  const { handler, clock, runtime, registry } = host;
  const shared = registry?.shared;
  const head = runtime.limitsHead === true ? request : readHead(request, runtime.headersOf);
  if (isResponse(head)) return head;
  if (runtime.upgradesNoList === true && isList(head)) return refuseList();
  const client = forwarded(head, options.remoteAddress, handler.settings.trustProxy);
  const located = locate(head, runtime, client);
  if (located === undefined) return refuseHost();
  const { byFetch = false } = runtime;
  const name = client.host ?? fieldOf(head, "host") ?? (byFetch ? hostOf(located.url) : undefined);
  return acceptUpgrade(handler, located, { address: client.address, host: name, byFetch }, options, {
    clock,
    capacity: registry?.capacity,
    sessions: host.sessions,
    ...(shared === undefined
      ? {}
      : { admit: ({ snapshot, delivery }: Accepted) => shared.admit(snapshot.room, delivery && openedOf(snapshot, delivery)) }),
    failed: (error) => host.failed(error, { hook: "upgrade" }),
    whenClosing: (callback) => whenClosing(host, callback),
  });
}

function openedOf({ id, protocol }: Snapshot, { resume, subject }: OpeningDelivery): Opened {
  return { id, protocol, resume, subject };
}

function whenClosing<State, Env>(host: HandshakeHost<State, Env>, callback: () => void): () => void {
  const pending = (host.pendingHandshakes ??= new Set());
  pending.add(callback);
  return () => pending.delete(callback);
}

/** Counts a refusal, and reports it to the observer. */
export function noteRefusal<State, Env>(
  { counters, handler, runtime }: HandshakeHost<State, Env>,
  status: number,
  cause: string,
  request?: RequestHead,
  options?: UpgradeOptions<Env>,
): void {
  counters.refused(cause);
  const { observe, trustProxy } = handler.settings;
  if (observe?.refused === undefined) return;
  if (request === undefined) return observe.refused({ status, cause });
  const client = forwarded(request, options?.remoteAddress ?? "", trustProxy);
  observe.refused({ status, cause, ...wholeIfAny(locate(request, runtime, client) ?? readable(request)) });
}
