/** A room in a Durable Object, with default options. */
import { durable, route } from "edgewire/durable";
import { login, victim } from "./handler.ts";

const handler = victim({ binding: "ROOM" });
export class Room extends durable(handler) {}

const sockets = route(handler);
type Fetch = typeof sockets.fetch;
export default {
  fetch: (...[request, env, ctx]: Parameters<Fetch>): ReturnType<Fetch> =>
    request.headers.has("upgrade") ? sockets.fetch(request, env, ctx) : login(),
};
