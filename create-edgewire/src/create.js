/** Writes a project: all of it, or nothing. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { checkFolder } from "./folder.js";

/** @import { Project } from "./types.d.ts" */

/**
 * Writes into a temporary folder beside the project's, and renames it.
 * @param {Pick<Project, "folder">} project
 * @param {ReadonlyMap<string, string>} files the text of each, by its path
 * @throws {Error} a Refusal if the folder can't be used; the system's error if it can't be written
 */
export function create({ folder }, files) {
  const target = resolve(folder);
  const exists = checkFolder(target);
  mkdirSync(dirname(target), { recursive: true });
  const temporary = mkdtempSync(`${target}.`);
  try {
    for (const [path, text] of files) {
      const file = join(temporary, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    if (exists) moveInto(temporary, target);
    else renameSync(temporary, target);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Into a folder that someone may have open: it stays the same one.
 * @param {string} from
 * @param {string} to
 */
function moveInto(from, to) {
  /** @type {string[]} */
  const moved = [];
  try {
    for (const entry of readdirSync(from)) {
      renameSync(join(from, entry), join(to, entry));
      moved.push(entry);
    }
  } catch (error) {
    for (const entry of moved) rmSync(join(to, entry), { recursive: true, force: true });
    throw error;
  }
}
