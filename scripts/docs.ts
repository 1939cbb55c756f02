/** `npm run docs` and `npm run docs:build`: installs what site/ has beside the root's node_modules, if it is missing, and runs it. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { installLocked } from "./lockfile.ts";

const site = join(import.meta.dirname, "../site");

installLocked(site, "The site");
const { status } = spawnSync(process.execPath, [join(site, "main.ts"), ...process.argv.slice(2)], { stdio: "inherit" });
process.exitCode = status ?? 1;
