/**
 * The chat on Node, Deno and Bun: `node server.ts`, `bun server.ts`, `deno run -A server.ts`. What was said is kept in the file `chat.db` of the
 * working directory, or of the folder that CHAT_STATE names. With REDIS_URL it is kept in that Redis, and all servers that use it share their rooms.
 */
import { join } from "node:path";
import process from "node:process";
import { redis } from "edgewire/redis";
import { serve } from "edgewire/serve";
import { sqlite } from "edgewire/sqlite";
import { app } from "./app.ts";
import { files } from "../files.ts";
import { metrics } from "./metrics.ts";

app.route("/", await files(new URL("public/", import.meta.url)));
app.get("/metrics", () => metrics(serving.stats()));
app.get("/health", (c) => c.text("ok"));

const { PORT = 8787, REDIS_URL, CHAT_STATE = "." } = process.env;
const file = join(CHAT_STATE, "chat.db");
const kept = REDIS_URL === undefined ? { storage: sqlite(file) } : { backplane: redis(REDIS_URL) };
const serving = await serve({ fetch: app.fetch, port: Number(PORT), ...kept });
console.log(`What is said is kept in ${REDIS_URL === undefined ? file : "Redis"}`);
console.log(`Chat is at ${serving.url}`);
