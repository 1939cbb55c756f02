/** A plain Worker: an entry point for each handler. */
import { wantsWebSocket } from "edgewire";
import { worker } from "edgewire/workers";
import { createHandlers } from "../support/handler.ts";

const handlers = createHandlers({ rooms: false });
const main = worker(handlers.main);

export default {
  async fetch(request: Request, env: unknown, ctx: Parameters<typeof main.fetch>[2]): Promise<Response> {
    if (wantsWebSocket(request)) return main.fetch(request, env, ctx);
    const { pathname } = new URL(request.url);
    if (pathname === "/slow") await new Promise((resolve) => setTimeout(resolve, 200));
    // No rooms on a plain Worker, and so no routes to them.
    if (/^\/(rooms|server)\//.test(pathname)) return new Response("Not Found", { status: 404 });
    return new Response(`${request.method} ${pathname} ${await request.text()}`, { headers: { "x-served-by": "fetch" } });
  },
};
export const second = worker(handlers.second);
export const tight = worker(handlers.tight);
export const protocols = worker(handlers.protocols);
export const strict = worker(handlers.strict);
export const origins = worker(handlers.origins);
export const rule = worker(handlers.rule);
export const anywhere = worker(handlers.anywhere);
export const proxied = worker(handlers.proxied);
export const dropping = worker(handlers.dropping);
export const bare = worker(handlers.bare);
export const lively = worker(handlers.lively);
export const mute = worker(handlers.mute);
export const limited = worker(handlers.limited);
export const lossy = worker(handlers.lossy);
export const crowded = worker(handlers.crowded);
export const few = worker(handlers.few);
export const addressed = worker(handlers.addressed);
export const networks = worker(handlers.networks);
export const latest = worker(handlers.latest);
export const deflating = worker(handlers.deflating);
export const fleeting = worker(handlers.fleeting);
export const narrow = worker(handlers.narrow);
export const stored = worker(handlers.stored);
export const waking = worker(handlers.waking);
export const named = worker(handlers.named);
export const delivering = worker(handlers.delivering);
export const brief = worker(handlers.brief);
export const frugal = worker(handlers.frugal);
export const instant = worker(handlers.instant);
export const seated = worker(handlers.seated);
export const fickle = worker(handlers.fickle);
