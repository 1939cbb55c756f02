/** The crowd's server on Cloudflare. */
import { wantsWebSocket } from "edgewire";
import { durable, rooms, route } from "edgewire/durable";
import { crowd, outside } from "./handler.ts";

const sockets = route(crowd);

export class Crowd extends durable(crowd) {}
export default {
  fetch: (request: Request, env: { CROWD: Parameters<typeof rooms>[0] }, ctx: Parameters<typeof sockets.fetch>[2]) =>
    wantsWebSocket(request) ? sockets.fetch(request, env, ctx) : outside(request, rooms(env.CROWD)),
};
