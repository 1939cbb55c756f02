/** Node, Deno and Bun: meets the servers whose addresses are the arguments, and prints what it saw. `ws` first: that package's WebSocket. */
import process from "node:process";
import { meet } from "./program.ts";

const [kind, ...urls] = process.argv.slice(2);
const options = kind === "ws" ? { WebSocket: (await import("ws")).WebSocket } : {};
console.log(JSON.stringify(await Promise.all(urls.map((url) => meet(url, options)))));
process.exit();
