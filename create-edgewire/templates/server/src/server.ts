import { serve } from "edgewire/serve";
import { app } from "./app.ts"; //: hono
import { chat } from "./chat.ts"; //: !hono
import { page } from "./page.ts"; //: !hono

const port = Number(process.env.PORT ?? 3000); //: !deno
const port = Number(Deno.env.get("PORT") ?? 3000); //: deno
const server = await serve(chat, { port, fetch: page }); //: !hono
const server = await serve({ port, fetch: app.fetch }); //: hono
console.log(`listening on ${server.url}`);
