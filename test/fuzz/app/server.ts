/** Node, Bun and Deno: the same file. `main` has `fetch`, `plain` only the handler, `app` only a Hono app. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { serve, type ServeOptions } from "edgewire/serve";
import { endWithParent } from "../../serve/end.ts";
import { createHandler } from "./handler.ts";
import { createApp } from "./app.ts";
import { answerProcess } from "./process.ts";
import { listenBare } from "./bare.ts";
import { provideRealm } from "./odd.ts";

const hostname = process.env["HOST"] ?? "127.0.0.1";
const file = (name: string): string => readFileSync(new URL(`../../tls/${name}.pem`, import.meta.url), "utf8");
const tls = { cert: file("cert"), key: file("key") };
const options: ServeOptions = { hostname, fetch: (request) => answerProcess(request) as Response };
const main = createHandler("main");
const app = createApp(main, answerProcess);

if (!("Bun" in globalThis) && !("Deno" in globalThis)) provideRealm((await import("undici")).Response as unknown as typeof Response);
const serving = {
  main: await serve(main, options),
  plain: await serve(createHandler("cross"), { hostname }),
  few: await serve(createHandler("few"), options),
  app: await serve({ hostname, fetch: app.fetch }),
  tls: await serve(main, { ...options, tls }),
};
const ports: Record<string, number> = Object.fromEntries(Object.entries(serving).map(([name, { port }]) => [name, port]));
const bare = await listenBare(app, hostname);
if (bare !== undefined) ports["bare"] = bare;
endWithParent();
console.log(`LISTEN ${JSON.stringify(ports)}`);
