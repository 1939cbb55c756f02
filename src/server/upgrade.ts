/**
 * From a handshake request to what the connection starts from, or a refusal: the checks, then the `upgrade`
 * hook with its deadline. It needs no server: on Cloudflare it runs in the Worker in front of the object.
 */
import { checkHandshake, checkOrigin } from "../protocol/handshake.ts";
import { isOffer } from "../protocol/positions.ts";
import { isRefusal, refuse, isResponse, refuseClosing } from "../protocol/refusal.ts";
import type { Capacity, Slot } from "../rooms/capacity.ts";
import type { DefinedHandler } from "../handler/define.ts";
import { isPromise } from "../values/promise.ts";
import { observed } from "../handler/observe.ts";
import { checkRefusal } from "../protocol/sendable.ts";
import { wholeOf } from "../protocol/request.ts";
import type { RequestHead } from "../protocol/request.ts";
import type { UpgradeContext, UpgradeResult } from "../api/handler.ts";
import type { MaybePromise } from "../api/connection.ts";
import { deliveryOf } from "./delivery.ts";
import type { SessionTable } from "./delivery.ts";
import { accepted } from "./accepted.ts";
import type { Accepted } from "./runtime.ts";
import type { Clock } from "../ports.ts";

/** The decision; a `Response` refuses. */
export type Upgrade = Response | Accepted;

export interface UpgradeOptions<Env = unknown> {
  readonly env: Env;
  readonly remoteAddress: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly vars?: Readonly<Record<string, unknown>>;
  /** The room if `upgrade` names none; with `undefined`, it must name one. */
  readonly room: string | undefined;
  /** Throw the error of `upgrade`, after the `error` hook has run, instead of answering 500: Hono has its own `onError`. */
  readonly rethrow?: boolean;
  /** Keeps the runtime alive for a promise that outlives the answer. */
  waitUntil?(promise: PromiseLike<unknown>): void;
}

/** The client that asks. */
export interface Client {
  readonly address: string;
  /** The host and port of the server as the client sees it; undefined if its request does not say. */
  readonly host: string | undefined;
  /** See `Runtime.byFetch`. */
  readonly byFetch: boolean;
}

/** What handshakes need of their server. */
export interface UpgradeSite {
  readonly clock: Clock;
  /** Undefined if connections can't be counted. */
  readonly capacity: Capacity | undefined;
  /** Undefined without delivery, and where no connections are opened. */
  readonly sessions: Pick<SessionTable, "isKnown" | "isResumable" | "giveWay"> | undefined;
  /** Joins the room, where rooms span servers, or refuses the handshake. */
  admit?(accepted: Accepted): MaybePromise<Response | undefined>;
  /** Never throws or rejects. */
  failed(error: unknown): MaybePromise<void>;
  /** Calls back when the server closes, unless the returned function is called before. */
  whenClosing(callback: () => void): () => void;
}

/** @param request at its final URL (`locate`). */
export function acceptUpgrade<State, Env>(
  handler: DefinedHandler<State, Env>,
  request: RequestHead,
  client: Client,
  options: UpgradeOptions<Env>,
  { clock, capacity, sessions, admit, failed, whenClosing }: UpgradeSite,
): MaybePromise<Upgrade> {
  let slot: Slot | undefined;
  const refused = (refusal: Response): Response => {
    if (slot !== undefined) capacity?.leave(slot);
    slot = undefined;
    return refusal;
  };
  const fail = (error: unknown): Response => {
    const refusal = refused(refuse(500, "Internal Server Error", {}, "error"));
    const reported = failed(error);
    if (isPromise(reported)) options.waitUntil?.(reported);
    if (options.rethrow === true) throw error;
    return refusal;
  };
  /** The hook's own Response: it keeps its slot until it is certain that it can be sent. */
  const refuseWith = (response: Response): MaybePromise<Response> => {
    if (isRefusal(response)) return refused(response);
    const checked = checkRefusal(response, handler.settings.upgradeTimeout, clock);
    return isPromise(checked) ? checked.then(refused) : refused(checked);
  };
  const threw = (error: unknown): MaybePromise<Response> => {
    if (!isResponse(error)) return fail(error);
    try {
      const refusal = refuseWith(error);
      return isPromise(refusal) ? refusal.then(undefined, fail) : refusal;
    } catch (unsendable) {
      return fail(unsendable);
    }
  };
  try {
    const { address } = client;
    const listed = checkHandshake(request, handler.settings, client);
    if (isResponse(listed)) return listed;
    const asked = deliveryOf(handler.settings)?.ask(listed);
    if (isResponse(asked)) return asked;
    const positions = listed.find(isOffer);
    const offered = asked?.inner ?? (positions === undefined ? listed : listed.filter((protocol) => !isOffer(protocol)));
    const checked = checkOrigin(request, handler.settings, client.host ?? "", offered);
    if (isResponse(checked)) return checked;
    // Before an asynchronous rule for origins and before the hook, which may be slow: pending handshakes count.
    // Who comes back has a place already.
    const returns = sessions?.isKnown(asked?.resume) === true;
    const enter = (): Slot | Response | undefined => {
      const found = capacity?.enter(address);
      return isResponse(found) && sessions?.giveWay(undefined) === true ? capacity?.enter(address) : found;
    };
    const entered = returns ? undefined : enter();
    if (isResponse(entered)) return entered;
    slot = entered;
    const { env, params = {}, vars = {} } = options;
    const context: UpgradeContext<Env> = { env, remoteAddress: address, params, vars };
    const { hooks, settings } = handler;
    const decide = (): ReturnType<NonNullable<typeof hooks.upgrade>> => {
      if (hooks.upgrade === undefined) return undefined;
      const whole = wholeOf(request);
      return observed(settings.observe, () => hooks.upgrade?.(whole, context), { hook: "upgrade", request: whole });
    };
    let isAnswered = false;
    // The hook does not run for a client that already got its answer.
    const next = (refusal: Response | undefined): ReturnType<typeof decide> => (refusal !== undefined || isAnswered ? refusal : decide());
    const result = isPromise(checked) ? checked.then(next) : decide();
    const place = (decided: Accepted): Upgrade => {
      if ((returns || admit !== undefined) && sessions?.isResumable(decided) === true) {
        // It may have come from another server meanwhile.
        if (slot !== undefined) capacity?.leave(slot);
        slot = undefined;
        return decided;
      }
      // It named a session that is not its own.
      if (returns) {
        const late = enter();
        if (isResponse(late)) return late;
        slot = late;
      }
      if (slot === undefined || capacity === undefined) return decided;
      let full = capacity.accept(slot, decided.snapshot.room);
      if (full !== undefined && sessions?.giveWay(decided.snapshot.room) === true) full = capacity.accept(slot, decided.snapshot.room);
      return full === undefined ? { ...decided, slot } : refused(full);
    };
    const accept = (value: UpgradeResult<State> | Response | void): MaybePromise<Upgrade> => {
      if (isResponse(value)) return refuseWith(value);
      const decided = accepted(handler, request, { offered, positions, asked }, value, context, options.room);
      if (isResponse(decided)) return refused(decided);
      const { expiresAt } = decided.snapshot;
      if (expiresAt !== undefined && expiresAt <= clock.now())
        return refused(refuse(401, "the credential has expired", challenge, "expiresAt"));
      const refusal = admit?.(decided);
      const then = (known: Response | undefined): Upgrade => (known === undefined ? place(decided) : refused(known));
      return isPromise(refusal) ? refusal.then(then) : then(refusal);
    };
    if (!isPromise(result)) {
      const decided = accept(result);
      return isPromise(decided) ? decided.then(undefined, fail) : decided;
    }
    // workerd cancels the request's context if its client resets; the hook must still run to its end.
    options.waitUntil?.(result.then(ignore, ignore));
    const late = (error: unknown): void => void failed(error);
    const inTime = withDeadline(result, handler.settings.upgradeTimeout, { clock, whenClosing }, late);
    return inTime
      .then((value) => {
        isAnswered = true;
        return accept(value);
      })
      .catch(threw);
  } catch (error) {
    return threw(error);
  }
}

/** RFC 9110 section 15.5.2 requires a challenge with a 401; this one is for an expired credential (RFC 6750 section 3.1). */
const challenge = { "www-authenticate": 'Bearer error="invalid_token"' };

function ignore(): void {}

/** `late` gets a rejection that comes after the client got its answer. */
async function withDeadline<T>(
  result: PromiseLike<T>,
  milliseconds: number,
  { clock, whenClosing }: Pick<UpgradeSite, "clock" | "whenClosing">,
  late: (error: unknown) => void,
): Promise<T | Response> {
  const refused = Promise.withResolvers<Response>();
  const refuseIt = (refusal: Response): void => {
    result.then(undefined, late);
    refused.resolve(refusal);
  };
  const timer = clock.setTimeout(
    () => refuseIt(refuse(503, "the handshake took too long", { "retry-after": "1" }, "upgradeTimeout")),
    milliseconds,
  );
  const unregister = whenClosing(() => refuseIt(refuseClosing()));
  try {
    return await Promise.race([result, refused.promise]);
  } finally {
    clock.clearTimeout(timer);
    unregister();
  }
}
