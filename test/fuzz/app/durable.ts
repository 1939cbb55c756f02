/** Durable Objects: a binding and a class for each handler; `app` mounts the main one in a Hono app. */
import { durable, route } from "edgewire/durable";
import { answer } from "./answer.ts";
import { createHandler } from "./handler.ts";
import { createApp } from "./app.ts";

const handler = createHandler("main", { binding: "MAIN" });
const cross = createHandler("cross", { binding: "CROSS" });
const main = route(handler);
const honoApp = createApp(handler, answer);

export default {
  fetch(request: Request, env: unknown, ctx: Parameters<typeof main.fetch>[2]): Response | Promise<Response> {
    return request.headers.get("upgrade") === "websocket" ? main.fetch(request, env, ctx) : (answer(request) as Response);
  },
};
export const plain = route(cross);
export const app = { fetch: honoApp.fetch };

export class Main extends durable(handler) {}
export class Cross extends durable(cross) {}
