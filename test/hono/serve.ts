/** Node, Bun and Deno under edgewire/serve. */
import { serve } from "edgewire/serve";
import { createApp } from "./app.ts";

const { url } = await serve({ fetch: createApp().app.fetch, hostname: "127.0.0.1" });
console.log(`listening on ${url}`);
