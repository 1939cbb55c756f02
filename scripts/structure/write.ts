/** `npm run structure`: writes docs/architecture.svg, and the table in docs/architecture.md. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { draw } from "./draw.ts";
import { withTable } from "./table.ts";

const root = join(import.meta.dirname, "../..");
const page = join(root, "docs/architecture.md");
writeFileSync(join(root, "docs/architecture.svg"), draw(root));
writeFileSync(page, withTable(readFileSync(page, "utf8")));
