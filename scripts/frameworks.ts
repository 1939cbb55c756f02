/**
 * vitest's globalSetup of the pages in docs/frameworks: each framework is in a folder of its own, with its own lockfile. Next and SvelteKit take long
 * to install and to build: they are for `npm run campaign:frameworks`.
 */
import { join } from "node:path";
import { installLocked } from "./lockfile.ts";

export default function setup(): void {
  for (const name of ["express", "fastify"])
    installLocked(join(import.meta.dirname, "../test/frameworks", name), "Testing docs/frameworks");
}
