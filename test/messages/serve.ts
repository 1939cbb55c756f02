/** The application on Node, Bun and Deno. */
import { serve } from "edgewire/serve";
import { handler } from "./application.ts";

const server = await serve(handler, { port: 0 });
console.log(`listening on ${server.url}`);
