/** Serves the page's files if the platform does not. The list is fixed and read once, so a request can't choose a path. */
import { readdir, readFile } from "node:fs/promises";
import { extname } from "node:path";
import { Hono } from "hono";

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** A Hono app that serves the folder's index.html at `/`, and every other file at its own path. */
export async function files(folder: URL): Promise<Hono> {
  const app = new Hono();
  for (const entry of await readdir(folder, { recursive: true })) {
    const type = types[extname(entry)];
    if (type === undefined) continue;
    const body = await readFile(new URL(entry, folder), "utf8");
    app.get(entry === "index.html" ? "/" : `/${entry}`, (c) => c.body(body, 200, { "Content-Type": type, "Cache-Control": "no-cache" }));
  }
  return app;
}
