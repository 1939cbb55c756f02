/** The crowd's server on Node, Bun and Deno. */
import { serve, type Serving } from "edgewire/serve";
import { endWithParent } from "../serve/end.ts";
import { crowd, outside } from "./handler.ts";

const server: Serving = await serve(crowd, { hostname: "127.0.0.1", fetch: (request: Request) => outside(request, server) });
endWithParent();
console.log(`LISTEN ${server.port}`);
