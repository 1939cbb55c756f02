/** The room on Node, Bun and Deno; with FILE, kept in that file. */
import { serve } from "edgewire/serve";
import { sqlite } from "edgewire/sqlite";
import { handler } from "./room.ts";

const { FILE, PORT } = process.env;
const server = await serve(handler, { port: Number(PORT ?? 0), ...(FILE === undefined ? {} : { storage: sqlite(FILE) }) });
console.log(`listening on ${server.url}`);
