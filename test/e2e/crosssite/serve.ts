/** On Node, Bun and Deno. */
import { serve } from "edgewire/serve";
import { login, open, victim } from "./handler.ts";

const handler = victim(process.env.ORIGINS === "*" ? open : {});
console.log(`listening on ${(await serve(handler, { fetch: login })).url}`);
