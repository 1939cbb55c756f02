/**
 * The assistant on Node, Deno and Bun: `node server.ts`, `bun server.ts`, `deno run -A server.ts`. Conversations are kept in the file `assistant.db` of the
 * working directory, or of the folder that ASSISTANT_STATE names. A server that was killed goes on with the answers that it was writing.
 */
import { join } from "node:path";
import process from "node:process";
import { serve } from "edgewire/serve";
import { sqlite } from "edgewire/sqlite";
import { files } from "../files.ts";
import { assistant } from "./assistant.ts";

const page = await files(new URL("public/", import.meta.url));
const storage = sqlite(join(process.env["ASSISTANT_STATE"] ?? ".", "assistant.db"));
const { url } = await serve(assistant, { port: Number(process.env["PORT"] ?? 8787), fetch: page.fetch, storage });
console.log(`The assistant is at ${url}`);
