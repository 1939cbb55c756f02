/** vitest's globalSetup of the type tests: installs the earlier versions of TypeScript that they compile with. */
import { join } from "node:path";
import { installLocked } from "./lockfile.ts";

export default function setup(): void {
  installLocked(join(import.meta.dirname, "../test/types/versions"), "Compiling with earlier versions of TypeScript");
}
