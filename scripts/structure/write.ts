/** `npm run structure`: writes docs/maintainers/architecture.svg, and the table in docs/maintainers/architecture.md. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { draw } from "./draw.ts";
import { withTable } from "./table.ts";

const root = join(import.meta.dirname, "../..");
const page = join(root, "docs/maintainers/architecture.md");
writeFileSync(join(root, "docs/maintainers/architecture.svg"), draw(root));
writeFileSync(page, withTable(readFileSync(page, "utf8")));
