/** A plain Worker with default options. */
import { worker } from "edgewire/workers";
import { login, victim } from "./handler.ts";

const sockets = worker(victim({}));
type Fetch = typeof sockets.fetch;
export default {
  fetch: (...[request, env, ctx]: Parameters<Fetch>): ReturnType<Fetch> =>
    request.headers.has("upgrade") ? sockets.fetch(request, env, ctx) : login(),
};
