/** Edgewire with delivery on Node, Bun and Deno. */
import process from "node:process";
import { serve } from "edgewire/serve";
import { bench } from "./delivery.handler.ts";

const server = await serve(bench(process.argv[2] ?? "readers"), { hostname: "127.0.0.1" });
console.log(`LISTEN ${server.port}`);
