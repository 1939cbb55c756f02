/** The chat on Node, Deno and Bun: `node server.ts`, `bun server.ts`, `deno run -A server.ts`. */
import process from "node:process";
import { serve } from "edgewire/serve";
import { app } from "./app.ts";
import { files } from "./files.ts";
import { metrics } from "./metrics.ts";

app.route("/", await files(new URL("public/", import.meta.url)));
app.get("/metrics", () => metrics(serving.stats()));

const serving = await serve({ fetch: app.fetch, port: Number(process.env["PORT"] ?? 8787) });
console.log(`Chat is at ${serving.url}`);
