/** The room in a Durable Object, which can be told to abort. */
import { durable, route } from "edgewire/durable";
import type { DurableEnv } from "./objects.ts";
import { handler } from "./room.ts";

export class Room extends durable(handler) {
  /** Its memory is lost with its sockets, and what it had not stored. */
  abortNow(): void {
    (this.ctx as unknown as { abort(reason: string): void }).abort("a test wants it");
  }
}

const served = route(handler) as unknown as { fetch(request: Request, env: DurableEnv, ctx: unknown): Promise<Response> };

export default {
  async fetch(request: Request, env: DurableEnv, ctx: unknown): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith("/abort/")) return served.fetch(request, env, ctx);
    const object = env.ROOM.get(env.ROOM.idFromName(pathname.slice("/abort/".length)));
    // The object that would answer is gone.
    await object.abortNow().catch(() => {});
    return new Response("aborted");
  },
};
