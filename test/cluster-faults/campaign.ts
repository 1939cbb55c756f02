/**
 * `npm run campaign:cluster`: `KILLS` kills (default: 200), `FAILOVERS` failovers (50), half of them to a replica that is behind, `DEPLOYS` rolling deploys (20), and
 * `AWAY` stops of servers, cuts of their network to Redis, and pauses of Redis (40 of each), on two or three servers of each mix of runtimes. `CLUSTER_SEED` is the seed of its random choices; what the network and processes do stays chance. It goes
 * on after a fault, prints a table for docs/maintainers/cluster-faults.md, and ends with an error if there was one. `REDIS_SERVER` is the path of redis-server.
 */
import process from "node:process";
import { Random } from "../fuzz/random.ts";
import type { RuntimeName } from "../kill/process.ts";
import { Primary } from "./primary.ts";
import { happenings, Round, type Counts, type Result } from "./round.ts";
import { Servers } from "./servers.ts";

const kills = Number(process.env["KILLS"] ?? 200);
const failovers = Number(process.env["FAILOVERS"] ?? 50);
const deploys = Number(process.env["DEPLOYS"] ?? 20);
const away = Number(process.env["AWAY"] ?? 40);
const seed = Number(process.env["CLUSTER_SEED"] ?? Date.now() % 1_000_000);
const path = process.env["REDIS_SERVER"] ?? "redis-server";

/** What runs side by side. */
const mixes: readonly (readonly RuntimeName[])[] = [
  ["node", "node"],
  ["node", "bun"],
  ["bun", "deno"],
  ["node", "bun", "deno"],
];
/** Rounds, each with a room of its own, that the whole is divided into: one of each mix without `replicas`, and one with. */
const parts = Number(process.env["ROUNDS"] ?? 16);

const columns = [...happenings, "messages", "returns", "gaps", "uncertain"] as const;
type Sums = Record<(typeof columns)[number] | "faults", number>;

const begin = performance.now();
const rows = new Map<string, Sums>();
let hasFailed = false;

console.log(`${kills} kills, ${failovers} failovers, ${deploys} deploys, and ${away} stops, cuts and pauses, seed ${seed}`);
for (let part = 0; part < parts; part++) await one(part);

const minutes = Math.round((performance.now() - begin) / 6000) / 10;
console.log(`
Seed ${seed}, ${minutes} minutes.

| servers | ${columns.join(" | ")} | faults |
|---|${"---|".repeat(columns.length + 1)}
${Array.from(rows, ([name, sums]) => `| ${[name, ...Object.values(sums)].join(" | ")} |`).join("\n")}`);
process.exit(hasFailed ? 1 : 0);

async function one(part: number): Promise<void> {
  const runtimes = mixes[Math.floor(part / 2) % mixes.length]!;
  const replicas = part % 2;
  const name = `${runtimes.join(", ")}${replicas === 0 ? "" : "; `replicas: 1`"}`;
  const result = await round(runtimes, replicas, seed + part, countsOf(part));
  console.log(`${name}: ${JSON.stringify(result)}`);
  hasFailed ||= result.faults.length > 0;
  const sums = rows.get(name) ?? (Object.fromEntries([...columns, "faults"].map((column) => [column, 0])) as Sums);
  for (const column of columns) sums[column] += result[column];
  sums.faults += result.faults.length;
  rows.set(name, sums);
}

async function round(runtimes: readonly RuntimeName[], replicas: number, at: number, counts: Counts): Promise<Result> {
  await using primary = await Primary.start(path);
  await using servers = await Servers.start(runtimes, primary.port, replicas, new Random(at));
  return await new Round(servers, primary, { seed: at, ...counts }).run();
}

/** A replica that is behind is one that Redis does not wait for. */
function countsOf(part: number): Counts {
  const over = share(failovers, part);
  const isBehind = part % 2 === 0;
  const rest = { stops: share(away, part), cuts: share(away, part), pauses: share(away, part) };
  return { kills: share(kills, part), deploys: share(deploys, part), failovers: isBehind ? 0 : over, behind: isBehind ? over : 0, ...rest };
}

function share(count: number, part: number): number {
  return Math.floor((count * (part + 1)) / parts) - Math.floor((count * part) / parts);
}
