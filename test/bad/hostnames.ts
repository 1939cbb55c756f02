/** Serves at each of several hostnames, and asks each server at the URL that it says. One line of JSON: the URLs, and what was heard. Runs on Node, Bun and Deno. */
import { defineHandler } from "edgewire";
import { serve } from "edgewire/serve";
import process from "node:process";

const hello = defineHandler({ open: (connection) => void connection.send("hello") });
const told: Record<string, string> = {};
for (const hostname of (process.env["HOSTNAMES"] ?? "").split(" ")) {
  const server = await serve(hello, { hostname });
  const heard = await new Promise<string>((resolve) => {
    const socket = new WebSocket(server.url.replace("http", "ws"));
    socket.addEventListener("message", ({ data }) => resolve(String(data)));
    socket.addEventListener("error", () => resolve("nobody there"));
  });
  told[hostname] = `${server.url.replace(`:${server.port}`, "")} ${heard}`;
}
console.log(JSON.stringify(told));
process.exit(0);
