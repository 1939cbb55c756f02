/** `wrangler deploy` would upload the chat, its page and its room's class; without a login or the network. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

test("wrangler deploy --dry-run", () => {
  const env = { ...process.env, NO_COLOR: "1", CI: "1", WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };
  const args = ["deploy", "--dry-run", "--outdir", ".tmp/deploy"];
  const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [wrangler, ...args], { cwd: root, encoding: "utf8", env });
  expect(status, stdout + stderr).toBe(0);
  expect(stdout).toContain("env.ROOM (ChatRoom)");
  expect(existsSync(join(root, ".tmp/deploy/worker.js"))).toBe(true);
});
