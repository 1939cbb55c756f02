/** An app, and a handler with a `fetch`, each of which answers with the URL that it sees. Runs on Node, Bun and Deno. */
import { defineHandler } from "edgewire";
import { serve } from "edgewire/serve";

const fetch = async (request: Request): Promise<Response> =>
  new Response(`${request.method} ${new URL(request.url).href === request.url ? request.url : "odd"} ${await request.text()}`);
const hostname = "127.0.0.1";
const app = await serve({ hostname, fetch });
const both = await serve(defineHandler({}), { hostname, fetch });
console.log(`listening ${JSON.stringify([app.port, both.port])}`);
