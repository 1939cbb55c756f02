/** A plain Worker. */
import { wantsWebSocket } from "edgewire";
import { worker } from "edgewire/workers";
import { login, optionsOf, victim } from "./handler.ts";

/** Bundled in. */
declare const ORIGINS: string;

const sockets = worker(victim(optionsOf(ORIGINS)));
type Fetch = typeof sockets.fetch;
export default {
  fetch: (...[request, env, ctx]: Parameters<Fetch>): ReturnType<Fetch> =>
    wantsWebSocket(request) ? sockets.fetch(request, env, ctx) : login(),
};
