/** On Node, Bun and Deno: the handler as a route of a Hono app. */
import { serve } from "edgewire/serve";
import { app } from "./hono.ts";

const { port } = await serve({ fetch: app.fetch, hostname: "127.0.0.1" });
console.log(`LISTEN ${port}`);
