/** Edgewire's entry points and classes are what wrangler's types ask for. */
import { defineHandler } from "edgewire";
import type { NoCalls, Rooms } from "edgewire";
import { durable, rooms, route } from "edgewire/durable";
import { rooms as roomsOf, upgrade } from "edgewire/hono";
import { defineMessages, messageClient } from "edgewire/messages";
import { worker } from "edgewire/workers";
import { Hono } from "hono";
import { expectTypeOf } from "vitest";

interface Env {
  readonly ROOM: DurableObjectNamespace<ChatRoom>;
}

const chat = defineHandler<{ name: string }, Env>({
  binding: "ROOM",
  upgrade(request, context) {
    expectTypeOf(context.env).toEqualTypeOf<Env>();
    return { room: new URL(request.url).pathname, state: { name: "Ada" } };
  },
});

const voting = defineHandler({ binding: "ROOM", calls: { vote: async (room, option: string) => ({ [option]: room.count() }) } });
export class VotingRoom extends durable(voting) {}
route(voting) satisfies ExportedHandler;

export class ChatRoom extends durable(chat) {
  /** A method of the application's own, beside Edgewire's. */
  async topic(): Promise<string> {
    return this.env.ROOM === undefined ? "" : "chat";
  }
}

route(chat) satisfies ExportedHandler<Env>;
worker(defineHandler({})) satisfies ExportedHandler;

export default {
  fetch(request, env, ctx) {
    expectTypeOf(rooms(env.ROOM)).toEqualTypeOf<Rooms>();
    expectTypeOf(rooms<typeof voting>(env.ROOM).room("lobby").call("vote", "tea")).toEqualTypeOf<Promise<{ [x: string]: number }>>();
    // @ts-expect-error: no such call.
    void rooms<typeof voting>(env.ROOM).room("lobby").call("votes");
    // @ts-expect-error: nothing can list a namespace's objects.
    void rooms(env.ROOM).roomNames;
    expectTypeOf(env.ROOM.getByName("lobby").topic()).resolves.toBeString();
    return route(chat).fetch(request, env, ctx);
  },
} satisfies ExportedHandler<Env>;

new Hono<{ Bindings: Env }>().get("/ws/:room", upgrade(chat)).post("/announce/:room", roomsOf(chat), async (c) => {
  expectTypeOf(c.var.rooms).toEqualTypeOf<Rooms<NoCalls>>();
  return c.json(await c.var.rooms.room(c.req.param("room")).count());
}) satisfies ExportedHandler<Env>;

// @ts-expect-error: not a namespace of Durable Objects.
rooms({});

const ticks = defineMessages({});
messageClient(ticks, new WebSocket("ws://localhost/", ticks.protocols));
