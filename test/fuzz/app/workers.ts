/** A plain Worker: `main` with HTTP of its own, `plain` only the handler, `app` a Hono app. */
import { worker } from "edgewire/workers";
import { answer } from "./answer.ts";
import { createHandler } from "./handler.ts";
import { createApp } from "./app.ts";

const handler = createHandler("main");
const main = worker(handler);
const honoApp = createApp(handler, answer);

export default {
  fetch(request: Request, env: unknown, ctx: Parameters<typeof main.fetch>[2]): Response | Promise<Response> {
    return request.headers.get("upgrade") === "websocket" ? main.fetch(request, env, ctx) : (answer(request) as Response);
  },
};
export const plain = worker(createHandler("cross"));
export const app = { fetch: honoApp.fetch };
