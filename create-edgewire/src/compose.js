/**
 * A project's files, from the parts in templates/: each part is a folder.
 *
 * A line that ends with a marker, such as `//: node deno`, stays if one of its words holds: a runtime, `hono`, `messages`, or `!hono` and the like for
 * the opposite. In place of `{{name}}` comes the project's name, in place of `{{hono}}` the version of that package.
 */
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nameOf } from "./folder.js";

/** @import { Project } from "./types.d.ts" */

const root = fileURLToPath(new URL("..", import.meta.url));
const versions = /** @type {Record<string, string>} */ (JSON.parse(readFileSync(join(root, "versions.json"), "utf8")));
const marker = /^(?<line>.*?)\s*(?:\/\/|#|<!--): (?<words>[\w! ]+?)(?: -->)?$/;

/**
 * The text of each file, by its path in the project.
 * @param {Project} project
 */
export function compose(project) {
  const { folder, runtime, hono, messages } = project;
  const chosen = [runtime, ...(hono ? ["hono"] : []), ...(messages ? ["messages"] : [])];
  const name = nameOf(folder);
  // Cloudflare takes no dots in a Worker's name.
  const values = { ...versions, name, worker: name.replace(/[._]+/g, "-") };
  /** @type {Map<string, string>} */
  const files = new Map();
  for (const part of partsOf(project)) {
    for (const path of filesOf(part)) {
      const text = fill(choose(readFileSync(join(root, "templates", part, path), "utf8"), chosen), values);
      // npm packs no .gitignore.
      files.set(path.replace(/^_/, "."), path.endsWith(".json") ? withoutTrailingCommas(text) : text);
    }
  }
  return files;
}

/** @param {Project} project */
function partsOf({ runtime, hono, messages }) {
  return [
    "all",
    runtime,
    ...(runtime === "deno" ? [] : ["npm"]),
    ...(runtime === "cloudflare" ? [] : ["server"]),
    ...(hono ? ["hono"] : []),
    messages ? "messages" : "text",
  ];
}

/** @param {string} part */
function filesOf(part) {
  const folder = join(root, "templates", part);
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => statSync(join(folder, path)).isFile());
}

/**
 * The lines that stay, without their markers.
 * @param {string} text
 * @param {readonly string[]} chosen
 */
function choose(text, chosen) {
  /** @type {string[]} */
  const lines = [];
  for (const line of text.split("\n")) {
    const { line: kept = line, words } = marker.exec(line)?.groups ?? {};
    const stays = words === undefined || words.split(" ").some((word) => chosen.includes(word.replace("!", "")) !== word.startsWith("!"));
    if (stays) lines.push(kept);
  }
  return lines.join("\n").replace(/\n{3,}/g, "\n\n");
}

/**
 * @param {string} text
 * @param {Record<string, string>} values
 */
function fill(text, values) {
  return text.replace(/\{\{(.+?)\}\}/g, (_match, name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`a template names ${name}, which has no value`);
    return value;
  });
}

/** Of JSON whose last line of a list did not stay. @param {string} text */
function withoutTrailingCommas(text) {
  return text.replace(/,(\s*[}\]])/g, "$1");
}
