/** `npm run campaign:node`: the contract's cases on the lowest Node that the package supports, alone, attached, under Hono and with rooms in a file. */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { join } from "node:path";
import { lowestNode, lowestVersion } from "./lowest.ts";

const root = join(import.meta.dirname, "../..");
const columns = ["node-1", "node-2", "attached", "hono", "sqlite-node"];

console.log(`the contract on Node ${lowestVersion()}`);
const vitest = join(root, "node_modules/vitest/vitest.mjs");
const args = [vitest, "run", "--project", "contract", ...columns.map((name) => `test/columns/${name}.ts`)];
const { status } = spawnSync(process.execPath, args, {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, CONTRACT: "all", CONTRACT_NODE: lowestNode() },
});
process.exitCode = status ?? 1;
