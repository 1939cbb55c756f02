/** What the environment asks of a run. */

/** Seconds for each runtime; `npm run fuzz` asks for ten minutes. */
export const long: boolean = process.env["FUZZ_SECONDS"] !== undefined;
export const seconds = Number(process.env["FUZZ_SECONDS"] ?? 3);
/** The short run is the same each time; a long one is for finding something new. */
export const seed = Number(process.env["FUZZ_SEED"] ?? (long ? Date.now() % 1_000_000 : 1));
/** The number of the one connection to replay. */
export const only: number | undefined = process.env["FUZZ_ONLY"] === undefined ? undefined : Number(process.env["FUZZ_ONLY"]);
/** Connections before those that are measured, and a sixth of the time. */
export const warmUp = 1000;
