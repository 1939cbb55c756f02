/** Pages that show files and folders of the repository which the documentation links to. */
import { readFileSync, readdirSync } from "node:fs";
import { join, posix } from "node:path";
import { escape, highlight } from "./highlight.ts";
import { isFolder, relative, sourceUrl } from "./links.ts";
import { root } from "./pages.ts";

export interface Source {
  readonly path: string;
  readonly url: string;
  readonly html: string;
}

/** Neither written by hand nor to be read. */
const ignored = /^(?:node_modules|dist|package-lock\.json|\..*)$|\.(?:png|db|db-\w+)$/;

/** The pages of these files and folders, and of what is in the folders. */
export function* sourcePages(paths: Iterable<string>): Generator<Source> {
  const queue = new Set(paths);
  for (const path of queue) {
    const url = sourceUrl(path);
    if (!isFolder(path)) yield { path, url, html: fileOf(path) };
    else {
      const names = readdirSync(join(root, path)).filter((name) => !ignored.test(name));
      const inside = names.map((name) => posix.join(path, name));
      for (const one of inside) queue.add(one);
      const items = inside.map((one) => `<li><a href="${relative(url, sourceUrl(one))}">${escape(posix.basename(one))}</a></li>`);
      yield { path, url, html: `<h1>${escape(path)}</h1>\n<ul class="files">\n${items.join("\n")}\n</ul>` };
    }
  }
}

function fileOf(path: string): string {
  const code = readFileSync(join(root, path), "utf8");
  return `<h1>${escape(path)}</h1>
<figure class="code"><pre aria-label="${escape(path)}"><code>${highlight(code, posix.extname(path).slice(1))}</code></pre></figure>`;
}
