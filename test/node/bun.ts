/** What `edgewire/node` says on Bun: one line, the error. */
import { createServer } from "node:http";
import { defineHandler } from "edgewire";
import { attach, serve } from "edgewire/node";

const handler = defineHandler({});
try {
  if (process.argv[2] === "attach") attach(createServer(), handler);
  else await serve(handler);
} catch (error) {
  console.log(String(error));
}
