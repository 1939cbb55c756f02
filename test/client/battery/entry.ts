/** The battery on Node, Deno and Bun; on `ws` where that is the platform's name. Prints what is wrong with each case. */
import process from "node:process";
import { runAll } from "./battery.ts";

const [platform = "", server = ""] = process.argv.slice(2);
// What a listener throws is reported, and ends a process that does not look.
process.on("uncaughtException", () => {});
globalThis.addEventListener?.("error", (event) => event.preventDefault());
const options = platform === "ws" ? { WebSocket: (await import("ws")).WebSocket } : {};
console.log(JSON.stringify(await runAll(server, platform, options)));
process.exit();
