/** vitest's globalSetup of what site/ has beside the root's node_modules. */
import { join } from "node:path";
import { installLocked } from "./lockfile.ts";

export default function setup(): void {
  installLocked(join(import.meta.dirname, "../site"), "The site");
}
