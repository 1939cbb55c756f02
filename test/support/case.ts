/** The type of a contract case, and the runs in which it takes part. */
import type { Context } from "./context.ts";
import type { LimitId } from "./limits.ts";
import { compatibilityDate } from "./runtimes.ts";

/**
 * A column of the table. `attached` is Node with the application's own server, `hono` is Node with a Hono app, `evicted` is a Durable Object that is
 * evicted after every event of a client. Those with `+sqlite` keep their rooms in a file, and run only the chapters of `keptChapters`: the server is
 * killed and started again whenever a case has no client. `memory+cluster` is two servers in memory that share a backplane: clients and calls from outside go
 * to one and the other in turn.
 */
export const columns = [
  "node",
  "attached",
  "hono",
  "bun",
  "deno",
  "workers",
  "durable",
  "evicted",
  "memory",
  "memory+cluster",
  "node+sqlite",
  "bun+sqlite",
  "deno+sqlite",
] as const;
export type Column = (typeof columns)[number];

/** The letters of the chapters about what rooms keep. */
const keptChapters: readonly string[] = ["G", "J", "K", "Y", "DL"];

/** The letters of the chapters about rooms that span servers. */
const clusterChapters: readonly string[] = ["T", "R", "J", "G", "X", "K", "Y", "DL"];

/**
 * The letters of the chapters in which everything is the core's own: not of `attached` and `hono`, which mount the same core on Node's own adapter.
 */
const coreChapters: readonly string[] = ["T", "R", "J", "G", "X", "E", "K", "N", "Y", "DL", "DR"];

/**
 * The letters of the chapters about what a compatibility date can change: handshakes, clients that leave meanwhile, kinds of messages, closes and errors.
 * The oldest date runs them all, those after it what their own flags are about.
 */
const datedChapters: readonly string[] = ["H", "U", "M", "C", "V", "F", "D"];
const laterChapters: readonly string[] = ["U", "M", "C", "V"];
const oldest = "2026-03-01";

/** What `npm test` leaves out of a run; `CONTRACT=all` (as `npm run contract` sets it) leaves out nothing. */
function isLeftOut({ column, date }: Pick<Run, "column" | "date">, letter: string): boolean {
  if (date !== compatibilityDate) return !(date === oldest ? datedChapters : laterChapters).includes(letter);
  if (column === "attached" || column === "hono") return coreChapters.includes(letter);
  // What is stored is the same as on Node, through another SQLite.
  return (column === "bun+sqlite" || column === "deno+sqlite") && (letter === "J" || letter === "DL");
}

/** Whether the cases of the chapter run. */
export function isInRun(run: Pick<Run, "column" | "date">, letter: string): boolean {
  if (runtimeOf(run.column).inFile && !keptChapters.includes(letter)) return false;
  if (run.column === "memory+cluster" && !clusterChapters.includes(letter)) return false;
  return process.env["CONTRACT"] === "all" || !isLeftOut(run, letter);
}

/** The runtime of a column, and whether its rooms are in a file. */
export function runtimeOf(column: Column): { readonly runtime: Exclude<Column, `${string}+${string}`>; readonly inFile: boolean } {
  const [runtime, kept] = column.split("+") as [Exclude<Column, `${string}+${string}`>, string?];
  return { runtime, inFile: kept === "sqlite" };
}

/** One run of every case: a column, on Cloudflare also at older compatibility dates. */
export interface Run {
  readonly name: string;
  readonly column: Column;
  readonly date: string;
}

/**
 * Dates before and after 2026-03-17 (binary messages become Blobs), 2026-04-07 (workerd answers a client's close on a plain Worker) and 2026-11-17
 * (a Worker's `request.signal` reports that its client has left).
 */
const olderRuns: readonly (readonly [column: Column, date: string])[] = [
  ["workers", "2026-03-01"],
  ["durable", "2026-03-01"],
  ["workers", "2026-04-01"],
  ["durable", "2026-04-01"],
  ["workers", "2026-10-01"],
];

export const runs: readonly Run[] = [
  ...columns.map((column) => ({ name: column, column, date: compatibilityDate })),
  ...olderRuns.map(([column, date]) => ({ name: `${column} ${date}`, column, date })),
];

export interface Case {
  /** The chapter's letter and a number that never changes, as in docs/maintainers/contract.md. */
  readonly id: string;
  readonly statement: string;
  /** Columns whose platform can't do it. The case still runs there, and must show the limit. */
  readonly limits?: Partial<Record<Column, LimitId>>;
  /** Throws if the runtime behaves differently. */
  run(t: Context): Promise<void>;
}

export interface Chapter {
  readonly letter: string;
  readonly title: string;
  readonly cases: readonly Case[];
}

export type { ConnectOptions, Context } from "./context.ts";
export type { Peer } from "./peer.ts";

/** Limits for a case that writes or reads raw bytes. */
export const needsWire: Partial<Record<Column, LimitId>> = { memory: "P1" };
/** Limits for a case that needs topics or rooms. */
export const needsRooms: Partial<Record<Column, LimitId>> = { workers: "P2" };
/** Limits for a case that needs all rooms of a server together. */
export const needsServer: Partial<Record<Column, LimitId>> = { ...needsRooms, durable: "P52", evicted: "P52" };
/** Limits for a case that needs delivery. */
export const needsDelivery: Partial<Record<Column, LimitId>> = { workers: "P53" };
