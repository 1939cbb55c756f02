/** The servers that are compared on each runtime, and why others are not. */
export const runtimes = ["node", "bun", "deno", "workers", "durable"] as const;
export type Runtime = (typeof runtimes)[number];

/** The Edgewire of another checkout: see `--before`. */
export const before = "before";

const everyone = ["bare", "asking", "edgewire", "crossws", "hono", "elysia", "partyserver"] as const;

/** Describes each row of a table. */
export const described: Readonly<Record<(typeof everyone)[number], string>> = {
  bare: "the runtime itself, as one would write it by hand: `ws` on Node",
  asking:
    "bare that also reads and keeps what the contract needs from a connection (the head, the address, how it ends), without using it: no library that fulfills the contract can cost less. Only in `connect` and `idle`",
  edgewire:
    "Edgewire with its defaults, and all checks and limits on (but a higher `rate`, because the load generator sends more than that)",
  crossws: "crossws's adapter of the runtime",
  hono: "Hono's `upgradeWebSocket`",
  elysia: "Elysia's `ws`",
  partyserver: "partyserver with `hibernate: true`",
};

const absences: Readonly<Record<string, string>> = {
  "asking node": "with `ws`, bare already reads all of it",
  "hono durable": "Hono's helper does not support hibernation",
  "elysia node": "Elysia's WebSockets are Bun's",
  "elysia deno": "Elysia's WebSockets are Bun's",
  "elysia workers": "Elysia's WebSockets are Bun's",
  "elysia durable": "Elysia's WebSockets are Bun's",
  "partyserver node": "partyserver is for Durable Objects",
  "partyserver bun": "partyserver is for Durable Objects",
  "partyserver deno": "partyserver is for Durable Objects",
  "partyserver workers": "partyserver is for Durable Objects",
};

/** Why there is no such server for this runtime; undefined if there is one. */
export function absence(name: string, runtime: Runtime): string | undefined {
  return absences[`${name} ${runtime}`];
}

/** The servers in the order of the tables. Bare is first, because ratios are to it. */
export function contenders(runtime: Runtime, mode: string): readonly string[] {
  const asks = mode === "connect" || mode === "idle";
  return everyone.filter((name) => absence(name, runtime) === undefined && (asks || name !== "asking"));
}

/** Whether the server is in bench/peers. */
export function isPeer(name: string): boolean {
  return everyone.some((one) => one === name) && !own.includes(name);
}

const own: readonly string[] = ["bare", "asking", "edgewire"];
