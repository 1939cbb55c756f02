/** A room whose clients say what to do. Its log outlives the object: tests run in the same isolate, and eviction keeps module memory. */
import { DurableObject } from "cloudflare:workers";
import { defineHandler } from "edgewire";
import { durable, route } from "edgewire/durable";
import { alarmed } from "./alarmed.ts";
import { deployedClass, routes } from "./beside.ts";
import { fetchedAlone, fetchedRooms } from "./fetched.ts";
import { sleepy } from "./sleepy.ts";
import { keepers } from "./keeper.ts";

export { Alarmed } from "./alarmed.ts";
export { Beside } from "./beside.ts";
export { Fetched } from "./fetched.ts";
export { Sleepy } from "./sleepy.ts";
export { Keeper, Older } from "./keeper.ts";

export const log: string[] = [];

const handler = defineHandler({
  binding: "ROOM",
  upgrade: (request) => ({ room: new URL(request.url).pathname.slice(1), state: { heard: 0 } }),
  open(connection) {
    log.push(`open ${connection.room.name}`);
    connection.subscribe("everyone");
  },
  message(connection, data) {
    connection.setState({ heard: connection.state.heard + 1 });
    const [verb, rest = ""] = String(data).split(/ (.*)/);
    if (verb === "say") connection.publish("everyone", rest);
    else if (verb === "leave") connection.unsubscribe("everyone");
    else if (verb === "dismiss") connection.close(4000, rest);
    else connection.send(JSON.stringify({ id: connection.id, state: connection.state, topics: [...connection.topics] }));
  },
  close(connection, { code, reason, initiator }) {
    log.push(`close ${connection.room.name} ${code} ${reason} ${initiator} after ${connection.state.heard}`);
  },
});

/** Instances are told apart by their number. */
let instances = 0;

export class TestRoom extends durable(handler) {
  readonly instance: number = ++instances;
}

/** The class that is deployed now, whichever that is: a deploy replaces a class between two events. */
export class Deployed extends DurableObject {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    return new (deployedClass())(ctx as never, env) as unknown as Deployed;
  }
}

const main = route(handler);

export default {
  fetch(request: Request, env: object, ctx: ExecutionContext): Response | Promise<Response> {
    const { pathname } = new URL(request.url);
    const keeper = keepers[pathname.split("/")[1] as keyof typeof keepers];
    if (keeper !== undefined) return keeper.fetch(request, env, ctx);
    if (pathname.startsWith("/alarmed/")) return alarmed.fetch(request, env, ctx);
    if (pathname.startsWith("/fetched/")) return fetchedRooms.fetch(request, env, ctx);
    if (pathname.startsWith("/alone/")) return fetchedAlone.fetch(request, env, ctx);
    if (pathname.startsWith("/sleepy/")) return sleepy.fetch(request, env, ctx);
    if (pathname.startsWith("/deployed/")) return routes.deployed.fetch(request, env, ctx);
    if (!pathname.startsWith("/beside/")) return main.fetch(request, env, ctx);
    if (!pathname.startsWith("/beside/own/")) return routes.own.fetch(request, env, ctx);
    // The application's own: straight to its object.
    const stub = (env as Cloudflare.Env).BESIDE.getByName(pathname.split("/").at(-1) ?? "");
    return stub.fetch(new Request(request.url.replace("/beside", ""), request));
  },
};
