/** Node with Hono apps: `main` behind common middleware, `app` without. Not etag, which reads a body to its end first, if it has one or not. */
import { serve } from "edgewire/serve";
import { compress } from "hono/compress";
import { secureHeaders } from "hono/secure-headers";
import { endWithParent } from "../../serve/end.ts";
import { createApp } from "./app.ts";
import { createHandler } from "./handler.ts";
import { answerProcess } from "./process.ts";

const hostname = process.env["HOST"] ?? "127.0.0.1";
const [main, cross, few] = [createHandler("main"), createHandler("cross"), createHandler("few")];
const serving = {
  main: await serve({ hostname, fetch: createApp(main, answerProcess, compress(), secureHeaders()).fetch }),
  app: await serve({ hostname, fetch: createApp(cross, answerProcess).fetch }),
  few: await serve({ hostname, fetch: createApp(few, answerProcess).fetch }),
};
endWithParent();
console.log(`LISTEN ${JSON.stringify(Object.fromEntries(Object.entries(serving).map(([name, { port }]) => [name, port])))}`);
