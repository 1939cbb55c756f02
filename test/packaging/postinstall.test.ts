/** What `npm ci` of the repository says at its end, to who runs npm on an older Node. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const checkout = mkdtempSync(join(tmpdir(), "edgewire-postinstall-"));
for (const file of ["package.json", "scripts/postinstall.js"]) cpSync(join(root, file), join(checkout, file));
afterAll(() => rmSync(checkout, { recursive: true, force: true }));

/** As npm starts it: the lockfile's Node runs it, and npm's own is in the variable. */
function says(node: string): string {
  const env = { ...process.env, npm_config_user_agent: `npm/10.8.2 node/v${node} linux x64 workspaces/false` };
  return execFileSync(process.execPath, [join(checkout, "scripts/postinstall.js")], { encoding: "utf8", env });
}

test("nothing on the lockfile's Node or a later one", () => {
  expect([says(process.versions.node), says("26.0.0")]).toEqual(["", ""]);
});

test("one line where the lockfile brings no Node", () => {
  for (const node of ["20.20.2", "22.18.0", "24.0.0"]) {
    expect(says(node)).toMatch(
      new RegExp(`^edgewire: npm runs on Node ${node}\\. Node 24\\.\\d+\\.\\d+ or later has to be installed first.*\\n$`),
    );
  }
});

test("one line where it does", () => {
  mkdirSync(join(checkout, "node_modules/.bin"), { recursive: true });
  writeFileSync(join(checkout, "node_modules/.bin/node"), "");
  expect(says("20.20.2")).toMatch(/^edgewire: npm runs on Node 20\.20\.2\. Node 24\.\d+\.\d+ came with the lockfile.*\n$/);
});
