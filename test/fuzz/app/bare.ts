/** The app under the runtime's own server, where Edgewire only mounts handlers: Bun and Deno. */
import type { Hono } from "hono";

type Native = { readonly port?: number; readonly addr?: { readonly port: number } };
interface Runtimes {
  readonly Bun?: { serve(options: object): Native };
  readonly Deno?: { serve(options: object, fetch: Hono["fetch"]): Native };
}

/** The port; undefined on Node, which has no such server. */
export async function listenBare(app: Hono, hostname: string): Promise<number | undefined> {
  const { Bun, Deno } = globalThis as Runtimes;
  if (Deno !== undefined) return Deno.serve({ port: 0, hostname, onListen: () => {} }, app.fetch).addr?.port;
  if (Bun === undefined) return undefined;
  const { websocket } = await import("edgewire/bun");
  return Bun.serve({ port: 0, hostname, development: false, fetch: app.fetch, websocket }).port;
}
