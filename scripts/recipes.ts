/** vitest's globalSetup of the recipes: what they are for is beside the root's node_modules, with a lockfile of its own. */
import { existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { installLocked } from "./lockfile.ts";

const root = join(import.meta.dirname, "..");
const folder = join(root, "test/recipes");

export default function setup(): void {
  installLocked(folder, "Testing the recipes");
  // That folder is a package, in which this one can't be imported by its own name.
  const link = join(folder, "node_modules/edgewire");
  if (!existsSync(link)) symlinkSync(root, link);
}
