/** A Worker whose Durable Object bindings are not what its handlers need. */
import { DurableObject } from "cloudflare:workers";
import { defineHandler } from "edgewire";
import { durable, route, rooms } from "edgewire/durable";
import { serve } from "edgewire/serve";
import { worker } from "edgewire/workers";

const upgrade = (): { room: string } => ({ room: "lobby" });
const chat = defineHandler({ binding: "ROOM", upgrade, message: (connection, data) => void connection.send(data) });
const missing = defineHandler({ binding: "MISSING", upgrade });
const text = defineHandler({ binding: "TEXT", upgrade });
const foreign = defineHandler({ binding: "FOREIGN", upgrade });
const swapped = defineHandler({ binding: "SWAPPED", upgrade });
const roomless = defineHandler({ binding: "ROOM", upgrade: () => ({ state: 1 }) });

const placed = defineHandler({ binding: "PLACED", upgrade, jurisdiction: "eu", locationHint: () => "weur" });

export class Placed extends durable(placed) {}
export class ChatRoom extends durable(chat) {}
export class Foreign extends DurableObject {
  fetch(): Response {
    return new Response("I am somebody else's");
  }
}

function misuse(name: string, env: Record<string, never>): unknown {
  if (name === "worker") return worker(chat);
  if (name === "durable") return durable(defineHandler({}));
  if (name === "route") return route({} as never);
  if (name === "route without upgrade") return route(defineHandler({ binding: "ROOM" }));
  // The object's name is the room, and in Hono the route's parameter.
  if (name === "durable without upgrade") return typeof durable(defineHandler({ binding: "ROOM" }));
  if (name === "serve") return serve(chat);
  if (name === "rooms") return rooms(env["TEXT"] as never);
  if (name === "alarm") return worker(defineHandler({ alarm() {} }));
  if (name === "calls") return worker(defineHandler({ calls: { vote() {} } }));
  if (name === "placed")
    return rooms(env["PLACED"] as never, { jurisdiction: "eu", locationHint: "weur" })
      .room("lobby")
      .count();
  if (name === "misplaced")
    return rooms(env["PLACED"] as never)
      .room("lobby")
      .count();
  return "nothing was wrong";
}

type Context = Parameters<ReturnType<typeof route>["fetch"]>[2];

export default {
  async fetch(request: Request, env: Record<string, never>, ctx: Context): Promise<Response> {
    const [, kind, name = ""] = decodeURIComponent(new URL(request.url).pathname).split("/");
    const routes = { chat, missing, text, foreign, swapped, roomless, placed } as const;
    if (kind === "route") return route(routes[name as keyof typeof routes]).fetch(request, env, ctx);
    try {
      return new Response(String(await misuse(name, env)));
    } catch (error) {
      return new Response(`${(error as Error).name}: ${(error as Error).message}`);
    }
  },
};
