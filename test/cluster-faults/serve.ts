/** The room on Node, Bun or Deno: `serve.ts REDIS REPLICAS`. It hands its clients over on SIGTERM. */
import process from "node:process";
import { redis } from "edgewire/redis";
import { serve } from "edgewire/serve";
import { endWithParent } from "../serve/end.ts";
import { handler } from "./room.ts";

const [url = "", replicas = "0"] = process.argv.slice(2);
const tuning = { lease: 4000, timeout: 1000, counts: 500, warn: () => {} };
const backplane = redis(url, { ...tuning, replicas: Number(replicas) });
const server = await serve(handler, { hostname: "127.0.0.1", port: 0, signals: false, backplane });
process.once("SIGTERM", () => void server.close().then(() => process.exit(0)));
endWithParent();
console.log(`LISTEN ${server.port}`);
