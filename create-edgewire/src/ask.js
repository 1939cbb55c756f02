/** Asks on a terminal for what the command line leaves open. */
import { createInterface } from "node:readline/promises";
import { isRuntime, runtimes } from "./arguments.js";
import { checkFolder } from "./folder.js";
import { Refusal } from "./refusal.js";

/** @import { Given, Project } from "./types.d.ts" */

/** @type {Project} */
const defaults = { folder: "edgewire-app", runtime: "node", hono: false, messages: false };

/**
 * @param {Given} given
 * @param {NodeJS.ReadableStream & { isTTY?: boolean }} input
 * @param {NodeJS.WritableStream} output
 * @returns {Promise<Project>}
 * @throws {Refusal}
 */
export async function ask({ folder, runtime, hono, messages, yes }, input, output) {
  if (yes) {
    if (folder === undefined) checkFolder(defaults.folder);
    return {
      folder: folder ?? defaults.folder,
      runtime: runtime ?? defaults.runtime,
      hono: hono ?? defaults.hono,
      messages: messages ?? defaults.messages,
    };
  }
  if (!input.isTTY)
    throw new Refusal("there is no terminal to ask on: give --yes (after npm's own --), and what differs from its defaults");
  const lines = createInterface({ input, output });
  // Ctrl+C and Ctrl+D: a question that waits would never be answered.
  const ended = new Promise((_resolve, reject) => lines.once("close", () => reject(new Refusal("nothing was written"))));
  ended.catch(() => {});
  /**
   * Asks until `read` takes the answer.
   * @template T
   * @param {string} question
   * @param {(answer: string) => T} read throws a Refusal
   * @returns {Promise<T>}
   */
  async function answerTo(question, read) {
    for (;;) {
      const answer = /** @type {string} */ (await Promise.race([lines.question(`${question} `), ended]));
      try {
        return read(answer.trim());
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        output.write(`${error.message}\n`);
      }
    }
  }
  try {
    return {
      folder: folder ?? (await answerTo(`Folder? (${defaults.folder})`, readFolder)),
      runtime: runtime ?? (await answerTo(`Runtime: ${runtimes.join(", ")}? (${defaults.runtime})`, readRuntime)),
      hono: hono ?? (await answerTo("With Hono? (y/N)", readYes)),
      messages: messages ?? (await answerTo("With typed messages? (y/N)", readYes)),
    };
  } catch (error) {
    output.write("\n"); // after the question
    throw error;
  } finally {
    lines.close();
  }
}

/** @param {string} answer */
function readFolder(answer) {
  const folder = answer || defaults.folder;
  checkFolder(folder);
  return folder;
}

/** @param {string} answer */
function readRuntime(answer) {
  const runtime = answer.toLowerCase() || defaults.runtime;
  if (!isRuntime(runtime)) throw new Refusal(`One of ${runtimes.join(", ")}, please.`);
  return runtime;
}

/** @param {string} answer */
function readYes(answer) {
  if (/^y(es)?$/i.test(answer)) return true;
  if (/^(no?)?$/i.test(answer)) return false;
  throw new Refusal("y or n, please.");
}
