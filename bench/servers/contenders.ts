/** Who is compared on which runtime, and why others are not. */
export const runtimes = ["node", "bun", "deno", "workers", "durable"] as const;
export type Runtime = (typeof runtimes)[number];

/** Another checkout's Edgewire: see `--before`. */
export const before = "before";

const everyone = ["bare", "asking", "edgewire", "crossws", "hono", "elysia", "partyserver"] as const;

/** Each row of a table: what it stands for. */
export const described: Readonly<Record<(typeof everyone)[number], string>> = {
  bare: "the runtime itself, as one would write it by hand: `ws` on Node",
  asking:
    "bare that asks its runtime for what the contract needs of a connection (the head, the address, how it ends), keeps it, and does nothing with it. No library that keeps the contract costs less. In `connect` and `idle`",
  edgewire: "Edgewire with its defaults, all checks and limits on (a higher `rate`: the load generator is one client that only sends)",
  crossws: "crossws's adapter of the runtime",
  hono: "Hono's `upgradeWebSocket`",
  elysia: "Elysia's `ws`",
  partyserver: "partyserver with `hibernate: true`",
};

const absences: Readonly<Record<string, string>> = {
  "asking node": "`ws` gives bare all of it too",
  "hono durable": "Hono's helper makes plain WebSockets, and does not support hibernating ones",
  "elysia node": "Elysia's WebSockets are Bun's",
  "elysia deno": "Elysia's WebSockets are Bun's",
  "elysia workers": "Elysia's WebSockets are Bun's",
  "elysia durable": "Elysia's WebSockets are Bun's",
  "partyserver node": "partyserver is for Durable Objects",
  "partyserver bun": "partyserver is for Durable Objects",
  "partyserver deno": "partyserver is for Durable Objects",
  "partyserver workers": "partyserver is for Durable Objects",
};

/** Why it has no server for this runtime; undefined where it has one. */
export function absence(name: string, runtime: Runtime): string | undefined {
  return absences[`${name} ${runtime}`];
}

/** In the order of the tables: bare first, because ratios are to it. */
export function contenders(runtime: Runtime, mode: string): readonly string[] {
  const asks = mode === "connect" || mode === "idle";
  return everyone.filter((name) => absence(name, runtime) === undefined && (asks || name !== "asking"));
}

/** Whether it comes from bench/peers. */
export function isPeer(name: string): boolean {
  return everyone.some((one) => one === name) && !own.includes(name);
}

const own: readonly string[] = ["bare", "asking", "edgewire"];
