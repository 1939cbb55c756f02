/** A plain Worker that lets every origin in. */
import { worker } from "edgewire/workers";
import { login, open, victim } from "./handler.ts";

const sockets = worker(victim(open));
type Fetch = typeof sockets.fetch;
export default {
  fetch: (...[request, env, ctx]: Parameters<Fetch>): ReturnType<Fetch> =>
    request.headers.has("upgrade") ? sockets.fetch(request, env, ctx) : login(),
};
