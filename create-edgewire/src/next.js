/** What to do with a project that is there. */
import { relative, resolve } from "node:path";

/** @import { Project, Runtime } from "./types.d.ts" */

/** As in templates/all/README.md. @type {Record<Runtime, readonly string[]>} */
const commands = {
  node: ["npm install", "npm test", "npm run dev"],
  bun: ["bun install", "bun test", "bun dev"],
  deno: ["deno install", "deno test", "deno task dev"],
  cloudflare: ["npm install", "npm test", "npm run dev"],
};

/** @param {Pick<Project, "folder" | "runtime">} project */
export function nextSteps({ folder, runtime }) {
  const path = relative("", resolve(folder));
  const steps = [...(path === "" ? [] : [`cd ${path}`]), ...commands[runtime]];
  return ["Done. Next:", "", ...steps.map((step) => `  ${step}`), ""].join("\n");
}
