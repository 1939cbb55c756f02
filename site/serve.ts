/** Serves the site on this machine, from memory. */
import { once } from "node:events";
import { watch } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { generate } from "./generate/site.ts";
import type { Files } from "./generate/site.ts";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};

/** A page that is asked for after a change is generated anew; one with a broken link says so, on the page and in the log. */
export async function serve(port: number): Promise<{ readonly url: string }> {
  let files: Promise<Files> | undefined = generate();
  // One that can't be generated is told when a page is asked for, until it can.
  await files.catch(() => {});
  const root = join(import.meta.dirname, "..");
  for (const folder of ["README.md", "docs", "site/client", "site/examples", "site/style"])
    watch(join(root, folder), { recursive: true }, () => (files = undefined)).unref();
  const server = createServer((request, response) => {
    const path = pathOf(request.url ?? "/");
    files ??= generate();
    files.then(
      (all) => {
        const content = all.get(path);
        response.writeHead(content === undefined ? 404 : 200, { "content-type": types[extname(path)] ?? "text/plain" });
        response.end(content ?? "There is no such page.");
      },
      (error: Error) => {
        console.error(error.message);
        response.writeHead(500, { "content-type": "text/plain; charset=utf-8" }).end(error.message);
      },
    );
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://localhost:${(server.address() as AddressInfo).port}/` };
}

/** The file's name, "" for none. */
function pathOf(url: string): string {
  try {
    const { pathname } = new URL(url, "http://localhost");
    return decodeURI(pathname)
      .slice(1)
      .replace(/(^|\/)$/, "$1index.html");
  } catch {
    return "";
  }
}
