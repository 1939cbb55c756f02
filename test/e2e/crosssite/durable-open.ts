/** A room in a Durable Object, that lets every origin in. */
import { durable, route } from "edgewire/durable";
import { login, open, victim } from "./handler.ts";

const handler = victim({ ...open, binding: "ROOM" });
export class Room extends durable(handler) {}

const sockets = route(handler);
type Fetch = typeof sockets.fetch;
export default {
  fetch: (...[request, env, ctx]: Parameters<Fetch>): ReturnType<Fetch> =>
    request.headers.has("upgrade") ? sockets.fetch(request, env, ctx) : login(),
};
