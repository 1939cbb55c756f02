/** Answers requests for the page, and for the modules that it imports. */
import { readFile } from "node:fs/promises";

const files = new Map([
  ["/", "../public/index.html"],
  ["/main.js", "../public/main.js"],
  ["/messages.js", "../public/messages.js"], //: messages
  ["/modules/client.js", "edgewire/client.js"],
  ["/modules/messages.js", "edgewire/messages.js"], //: messages
  ["/modules/valibot.js", "valibot"], //: messages
]);

export async function page(request: Request): Promise<Response> {
  const file = files.get(new URL(request.url).pathname);
  if (file === undefined) return new Response("Not found", { status: 404 });
  const type = file.endsWith(".html") ? "text/html" : "text/javascript";
  const body = await readFile(new URL(import.meta.resolve(file)), "utf8");
  return new Response(body, { headers: { "content-type": `${type}; charset=utf-8` } });
}
