/** On Node, Bun and Deno. */
import { serve } from "edgewire/serve";
import { login, optionsOf, victim } from "./handler.ts";

const handler = victim(optionsOf(process.env.ORIGINS));
console.log(`listening on ${(await serve(handler, { fetch: login })).url}`);
