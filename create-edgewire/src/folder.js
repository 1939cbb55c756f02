/** The folder to write into, and the project's name, which is the folder's. */
import { readdirSync, statSync } from "node:fs";
import { builtinModules } from "node:module";
import { basename, resolve } from "node:path";
import { Refusal } from "./refusal.js";

const taken = ["node_modules", "favicon.ico", ...builtinModules];

/** @param {string} folder */
export function nameOf(folder) {
  return basename(resolve(folder));
}

/**
 * Whether it exists. It may then hold nothing but a `.git`.
 * @param {string} folder
 * @throws {Refusal}
 */
export function checkFolder(folder) {
  const why = problemOf(nameOf(folder));
  if (why !== undefined) throw new Refusal(`${JSON.stringify(nameOf(folder))} can't be a package's name: ${why}`);
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return false;
  if (!found.isDirectory()) throw new Refusal(`${folder} is a file`);
  const file = readdirSync(folder).find((one) => one !== ".git");
  if (file !== undefined) throw new Refusal(`${folder} is not empty: there is ${file}`);
  return true;
}

/**
 * npm's rules for new packages.
 * @param {string} name
 */
function problemOf(name) {
  if (name === "") return "it is empty";
  if (name.length > 214) return "it is longer than 214 characters";
  if (name !== name.toLowerCase()) return "npm wants lower case";
  if (/^[._-]/.test(name)) return `it begins with ${name[0]}`;
  if (!/^[a-z0-9._-]+$/.test(name)) return "npm wants letters from a to z, digits, and . _ - only";
  if (taken.includes(name)) return "the name is taken by Node or npm";
  return undefined;
}
