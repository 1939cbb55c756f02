/**
 * The chat on Node, Deno and Bun: `node server.ts`, `bun server.ts`, `deno run -A server.ts`. What was said is kept in the file `chat.db` of the
 * working directory, or of the folder that CHAT_STATE names.
 */
import { join } from "node:path";
import process from "node:process";
import { serve } from "edgewire/serve";
import { sqlite } from "edgewire/sqlite";
import { app } from "./app.ts";
import { files } from "../files.ts";
import { metrics } from "./metrics.ts";

app.route("/", await files(new URL("public/", import.meta.url)));
app.get("/metrics", () => metrics(serving.stats()));

const file = join(process.env["CHAT_STATE"] ?? ".", "chat.db");
const serving = await serve({ fetch: app.fetch, port: Number(process.env["PORT"] ?? 8787), storage: sqlite(file) });
console.log(`What is said is kept in ${file}`);
console.log(`Chat is at ${serving.url}`);
