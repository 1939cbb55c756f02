/** What is generated, and that links which lead nowhere fail it. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runsInPlayground } from "../generate/examples.ts";
import { Links } from "../generate/links.ts";
import { render } from "../generate/markdown.ts";
import { readPages, root, shelve } from "../generate/pages.ts";
import type { Page } from "../generate/pages.ts";

const page = (source: string, text: string): Page => ({ source, url: source.replace(".md", ".html"), title: "A page", text });

function rendered(...pages: readonly Page[]): { readonly html: readonly string[]; readonly broken: readonly string[] } {
  const links = new Links(pages);
  const html = pages.map((one) => render(one, links).html);
  links.checkAnchors();
  return { html, broken: links.broken };
}

test("the site's sources compile", () => {
  for (const project of ["site", "site/client"]) {
    const { status, stdout } = spawnSync(process.execPath, [join(root, "node_modules/.bin/tsc"), "-p", project], {
      cwd: root,
      encoding: "utf8",
    });
    expect(stdout).toBe("");
    expect(status).toBe(0);
  }
});

test("links between pages, to headings and to source code work as in the repository", () => {
  const { html, broken } = rendered(
    page(
      "docs/guide/a.md",
      "# A\n\n## `b` and c\n\n[here](#b-and-c) [there](../deploy/d.md#e) [code](../../src/index.ts) [folder](../../src/api)\n",
    ),
    page("docs/deploy/d.md", "# D\n\n## E\n\n## E\n\n[second](#e-1) [away](https://example.com/) [up](../guide/a.md)\n"),
  );
  expect(broken).toEqual([]);
  expect(html[0]).toContain('<a href="#b-and-c">here</a> <a href="../deploy/d.html#e">there</a>');
  expect(html[0]).toContain('href="../../source/src/index.ts.html"');
  expect(html[0]).toContain('href="../../source/src/api/index.html"');
  expect(html[1]).toContain('<a href="#e-1">second</a> <a href="https://example.com/">away</a> <a href="../guide/a.html">up</a>');
});

test("links that lead nowhere, and pictures of other hosts, are told", () => {
  const text =
    "# A\n\n[a](#no) [b](no.md) [c](../src/no.ts) [d](../../outside) ![e](no.png) ![f](https://example.com/e.png)\n\n<img src='x' alt='' ><img alt=\"\" src=\"no.svg\">\n";
  const { broken } = rendered(page("docs/a.md", text));
  expect(broken.map((one) => /\((.*?)\): (.*)/.exec(one)?.slice(1))).toEqual([
    ["no.md", "there is no such file"],
    ["../src/no.ts", "there is no such file"],
    ["../../outside", "there is no such file"],
    ["no.png", "there is no such file"],
    ["https://example.com/e.png", "is asked of another host"],
    ["no.svg", "there is no such file"],
    ["#no", "docs/a.md has no such anchor"],
  ]);
});

test("every page stands once in the menu, but the first and the list of contents", () => {
  const pages = readPages();
  const inMenu = shelve(pages).flatMap(({ groups }) => groups.flatMap((group) => group.pages.map(({ source }) => source)));
  const expected = pages.map(({ source }) => source).filter((source) => source !== "README.md" && source !== "docs/README.md");
  expect(inMenu.toSorted()).toEqual(expected.toSorted());
  expect(new Set(pages.map(({ url }) => url)).size).toBe(pages.length);
});

test("a handler that imports only what the playground has opens there", () => {
  const handler = "export default defineHandler({});";
  expect(runsInPlayground("ts", `import { defineHandler } from "edgewire";\n${handler}`)).toBe(true);
  expect(runsInPlayground("ts", `import { defineHandler } from "edgewire";\nimport { z } from "zod";\n${handler}`)).toBe(false);
  expect(runsInPlayground("ts", `import { chat } from "./chat.ts";\n${handler}`)).toBe(false);
  expect(runsInPlayground("ts", 'import { serve } from "edgewire/serve";\nserve({});')).toBe(false);
  expect(runsInPlayground("sh", handler)).toBe(false);
});
