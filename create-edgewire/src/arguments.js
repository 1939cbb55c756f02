/** The command line. */
import { parseArgs } from "node:util";
import { checkFolder } from "./folder.js";
import { Refusal } from "./refusal.js";

/** @import { Given, Runtime } from "./types.d.ts" */

/** @type {readonly Runtime[]} */
export const runtimes = ["node", "bun", "deno", "cloudflare"];

export const help = `Usage: npm create edgewire@latest [folder] -- [options]

Writes a WebSocket app into a new folder, and asks for what the options leave open.

  --runtime <name>  ${runtimes.join(", ")}
  --hono            with a Hono app
  --messages        with typed messages
  --yes             asks nothing: a folder "edgewire-app", node, neither Hono nor typed messages, unless given
  --help            prints this`;

/** @type {{ readonly [name: string]: { type: "string" | "boolean", short?: string } }} */
const options = {
  runtime: { type: "string" },
  hono: { type: "boolean" },
  messages: { type: "boolean" },
  yes: { type: "boolean", short: "y" },
  help: { type: "boolean", short: "h" },
};

/**
 * @param {string[]} args
 * @returns {Given}
 * @throws {Refusal}
 */
export function parse(args) {
  const { values, positionals } = read(args);
  const [folder, more] = positionals;
  if (more !== undefined) throw new Refusal(`one folder at a time: what is ${JSON.stringify(more)}?`);
  if (folder !== undefined) checkFolder(folder);
  const { runtime, hono, messages, yes = false, help: wantsHelp = false } = values;
  if (runtime !== undefined && !isRuntime(runtime)) {
    throw new Refusal(`--runtime is one of ${runtimes.join(", ")}, not ${JSON.stringify(runtime)}`);
  }
  return { folder, runtime, hono, messages, yes, help: wantsHelp };
}

/**
 * @param {string[]} args
 * @returns {{ values: { runtime?: string, hono?: boolean, messages?: boolean, yes?: boolean, help?: boolean }, positionals: string[] }}
 */
function read(args) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    // Node's own message goes on about positional arguments after its first sentence.
    const [why] = /** @type {Error} */ (error).message.split(". ");
    throw new Refusal(`${why}. See --help`);
  }
}

/**
 * @param {unknown} name
 * @returns {name is Runtime}
 */
export function isRuntime(name) {
  return runtimes.some((one) => one === name);
}
