/** Durable Objects: an entry point, a class and a binding for each handler. */
import { wantsWebSocket } from "edgewire";
import { durable, rooms, route } from "edgewire/durable";
import { bindingOf, createHandlers, type HandlerName } from "../support/handler.ts";
import { answer } from "./http.ts";

const handlers = createHandlers({ objects: true });
type Namespace = Parameters<typeof rooms>[0];

/** An entry point that also answers for its rooms, from outside of hooks. */
function outside(name: HandlerName): ReturnType<typeof route> {
  const routed = route(handlers[name]);
  return {
    ...routed,
    fetch: (request, env, ctx) =>
      wantsWebSocket(request)
        ? routed.fetch(request, env, ctx)
        : answer(request, rooms((env as Record<string, Namespace>)[bindingOf(name)]!)),
  };
}

export default outside("main");
export const second = route(handlers.second);
export const tight = route(handlers.tight);
export const protocols = route(handlers.protocols);
export const strict = route(handlers.strict);
export const origins = route(handlers.origins);
export const rule = route(handlers.rule);
export const anywhere = route(handlers.anywhere);
export const proxied = route(handlers.proxied);
export const dropping = route(handlers.dropping);
export const bare = route(handlers.bare);
export const lively = route(handlers.lively);
export const mute = route(handlers.mute);
export const limited = route(handlers.limited);
export const lossy = route(handlers.lossy);
export const crowded = route(handlers.crowded);
export const few = route(handlers.few);
export const addressed = route(handlers.addressed);
export const networks = route(handlers.networks);
export const latest = route(handlers.latest);
export const deflating = route(handlers.deflating);
export const fleeting = route(handlers.fleeting);
export const narrow = route(handlers.narrow);
export const stored = route(handlers.stored);
export const waking = route(handlers.waking);
export const named = route(handlers.named);
export const delivering = outside("delivering");
export const brief = outside("brief");
export const frugal = outside("frugal");
export const instant = outside("instant");
export const seated = outside("seated");
export const fickle = outside("fickle");

export class Main extends durable(handlers.main) {}
export class Second extends durable(handlers.second) {}
export class Tight extends durable(handlers.tight) {}
export class Protocols extends durable(handlers.protocols) {}
export class Strict extends durable(handlers.strict) {}
export class Origins extends durable(handlers.origins) {}
export class Rule extends durable(handlers.rule) {}
export class Anywhere extends durable(handlers.anywhere) {}
export class Proxied extends durable(handlers.proxied) {}
export class Dropping extends durable(handlers.dropping) {}
export class Bare extends durable(handlers.bare) {}
export class Lively extends durable(handlers.lively) {}
export class Mute extends durable(handlers.mute) {}
export class Limited extends durable(handlers.limited) {}
export class Lossy extends durable(handlers.lossy) {}
export class Crowded extends durable(handlers.crowded) {}
export class Few extends durable(handlers.few) {}
export class Addressed extends durable(handlers.addressed) {}
export class Networks extends durable(handlers.networks) {}
export class Latest extends durable(handlers.latest) {}
export class Deflating extends durable(handlers.deflating) {}
export class Fleeting extends durable(handlers.fleeting) {}
export class Narrow extends durable(handlers.narrow) {}
export class Stored extends durable(handlers.stored) {}
export class Waking extends durable(handlers.waking) {}
export class Named extends durable(handlers.named) {}
export class Delivering extends durable(handlers.delivering) {}
export class Brief extends durable(handlers.brief) {}
export class Frugal extends durable(handlers.frugal) {}
export class Instant extends durable(handlers.instant) {}
export class Seated extends durable(handlers.seated) {}
export class Fickle extends durable(handlers.fickle) {}
