/** `npm run reference`: writes docs/reference/ from the source. Prints what is missing, and fails. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder, makeReference } from "./reference/pages.ts";

const root = join(import.meta.dirname, "..");
const { pages, faults } = makeReference(root);
rmSync(join(root, folder), { recursive: true, force: true });
mkdirSync(join(root, folder), { recursive: true });
for (const [name, text] of pages) writeFileSync(join(root, folder, name), text);
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
