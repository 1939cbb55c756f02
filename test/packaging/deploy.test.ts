/** `wrangler deploy` would upload the chat, its page and its room's class; without a login or the network. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
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
  const script = readFileSync(join(root, ".tmp/deploy/worker.js"), "utf8");
  // The server's half of edgewire/messages, although wrangler has the condition "browser".
  expect(script).toContain("messageHandler makes message and protocols itself [EW542]");
  expect(script).not.toContain("messageHandler is for servers");
});
