/** The cursors on Node, Deno and Bun: `node server.ts`, `bun server.ts`, `deno run -A server.ts`. */
import process from "node:process";
import { serve } from "edgewire/serve";
import { files } from "../files.ts";
import { cursors } from "./cursors.ts";

const page = await files(new URL("public/", import.meta.url));
const { url } = await serve(cursors, { port: Number(process.env["PORT"] ?? 8787), fetch: page.fetch });
console.log(`Cursors are at ${url}`);
