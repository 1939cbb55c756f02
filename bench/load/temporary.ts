import { join } from "node:path";

/** What a run writes and nobody keeps. */
export const temporary: string = join(import.meta.dirname, "../../.tmp/bench");
