/**
 * `npm run campaign:walk`: walks the four pages of docs/guide/getting-started, one after the other, on the ports that they name and with empty caches, and
 * writes the times to docs/maintainers/walk.md. It ends with an error if a page is wrong.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { Workshop } from "../create/workshop.ts";
import { root } from "../docs/pages.ts";
import { pages, pathOf, walk, type PageName, type Times } from "./walk.ts";

const walked = new Map<PageName, Times>();
for (const name of pages) {
  await using workshop = await Workshop.open();
  const times = await walk(workshop, name, { env: workshop.ownCache });
  walked.set(name, times);
  console.log(`${name}: ${JSON.stringify(times)}`);
}

const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
const date = new Date().toISOString().slice(0, 10);
const rows = [...walked].map(([name, { installed, talking, deployed }]) => {
  const link = `[${name}](${pathOf(name).replace("docs/", "../")})`;
  return `| ${link} | ${installed.toFixed(1)} s | ${talking.toFixed(1)} s | ${deployed.toFixed(1)} s |`;
});
const text = `# The newcomer's walk

For maintainers. \`npm run campaign:walk\` wrote this page. It does what each getting-started page says, in an empty folder, from top to bottom. A registry on the
same machine has the packed tarball as \`edgewire\`; nothing else is different. It fails where a page is wrong. The times count from the first command on,
with empty caches of npm, Bun and Deno. The runtimes themselves are there already.

Two things are not done as they stand. \`npx wrangler deploy\` gets \`--dry-run\`, because it needs an account. The Dockerfile's commands run in a folder in place of
an image.

Commit ${commit}, ${date}, ${cpus().length} × ${cpus()[0]?.model ?? "unknown processor"}.

| page | installed | two clients talk | deployed |
| --- | --- | --- | --- |
${rows.join("\n")}

\`npm test\` walks the first three pages, on ports of its own and with npm's cache.
`;
writeFileSync(join(root, "docs/maintainers/walk.md"), text);
