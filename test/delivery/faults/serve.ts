/** The room on Node, Bun and Deno: `serve.ts FILE PORT`; without a file, "-", it is kept in memory. */
import process from "node:process";
import { serve } from "edgewire/serve";
import { sqlite } from "edgewire/sqlite";
import { endWithParent } from "../../serve/end.ts";
import { handler } from "./room.ts";

const [file = "-", port = "0"] = process.argv.slice(2);
const storage = file === "-" ? {} : { storage: sqlite(file) };
const server = await serve(handler, { hostname: "127.0.0.1", port: Number(port), signals: false, ...storage });
endWithParent();
console.log(`LISTEN ${server.port}`);
