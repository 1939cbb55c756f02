import { join } from "node:path";

/** A folder for a run's temporary files. */
export const temporary: string = join(import.meta.dirname, "../../.tmp/bench");
