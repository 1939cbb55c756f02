/** The application without rooms on Node, Bun and Deno, over a file: what it sends leaves when its turn is stored. */
import { serve } from "edgewire/serve";
import { sqlite } from "edgewire/sqlite";
import { handler } from "./roomless.ts";

const server = await serve(handler, { port: 0, storage: sqlite(process.env["ROOMS"] ?? "rooms.db") });
console.log(`listening on ${server.url}`);
