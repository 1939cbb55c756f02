/**
 * vitest's globalSetup of what is beside the root's node_modules: React 18, and what the examples of docs/frameworks/react.md are compiled with. Each has a
 * folder with its own lockfile, which is installed if it is missing or another than the installed one.
 */
import { join } from "node:path";
import { installLocked } from "./lockfile.ts";

const folders = ["react-18", "frameworks"].map((name) => join(import.meta.dirname, "../test/react", name));

export default function setup(): void {
  for (const folder of folders) installLocked(folder, "Testing edgewire/react");
}
