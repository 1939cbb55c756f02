/** A room in a Durable Object. */
import { wantsWebSocket } from "edgewire";
import { durable, route } from "edgewire/durable";
import { login, optionsOf, victim } from "./handler.ts";

/** Bundled in. */
declare const ORIGINS: string;

const handler = victim({ ...optionsOf(ORIGINS), binding: "ROOM" });
export class Room extends durable(handler) {}

const sockets = route(handler);
type Fetch = typeof sockets.fetch;
export default {
  fetch: (...[request, env, ctx]: Parameters<Fetch>): ReturnType<Fetch> =>
    wantsWebSocket(request) ? sockets.fetch(request, env, ctx) : login(),
};
