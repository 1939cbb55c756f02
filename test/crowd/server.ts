/** The crowd's server on Node, Bun and Deno. */
import process from "node:process";
import { serve, type Serving } from "edgewire/serve";
import { sqlite } from "edgewire/sqlite";
import { endWithParent } from "../serve/end.ts";
import { crowd, keepingCrowd, outside } from "./handler.ts";

const rooms = process.env["ROOMS"];
const server: Serving = await serve(rooms === undefined ? crowd : keepingCrowd, {
  hostname: "127.0.0.1",
  fetch: (request: Request) => outside(request, server),
  ...(rooms === undefined ? {} : { storage: sqlite(rooms) }),
});
endWithParent();
console.log(`LISTEN ${server.port}`);
