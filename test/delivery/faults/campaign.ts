/**
 * `npm run campaign:faults`: on each runtime and on a Durable Object `RETURNS` returns through cuts (default: 10 000); `KILLS` kills over a file with a quarter as
 * many stops on each runtime (default: 200); and as many aborts, with a quarter as many evictions and deploys, of an object. `FAULTS_SEED` is the seed of its random
 * choices. It goes on after a fault, prints tables for docs/maintainers/delivery.md, and ends with an error if there was one.
 */
import process from "node:process";
import { runtimes } from "../../kill/process.ts";
import { returnsThroughCuts } from "./cuts.ts";
import { disturbances } from "./disturbances.ts";
import { killsAndStops } from "./kills.ts";
import { Objects } from "./objects.ts";
import { Servers } from "./servers.ts";

const returns = Number(process.env["RETURNS"] ?? 10_000);
const kills = Number(process.env["KILLS"] ?? 200);
const seed = Number(process.env["FAULTS_SEED"] ?? Date.now() % 1_000_000);
/** Of one room. */
const killsPerRoom = 40;

const begin = performance.now();
const faults: string[] = [];
const cutRows: string[] = [];
const killRows: string[] = [];
const objectRows: string[] = [];

console.log(`${returns} returns and ${kills} kills on each runtime, seed ${seed}`);
for (const runtime of runtimes) {
  await cut(runtime, () => Servers.start(runtime, false));
  await cut(`${runtime}, over a file`, () => Servers.start(runtime, true));
}
await cut("Durable Object", () => Objects.start());
for (const runtime of runtimes) await kill(runtime);
await disturb();

const minutes = Math.round((performance.now() - begin) / 6000) / 10;
console.log(`
Seed ${seed}, ${minutes} minutes.

| cut at any byte | returns | cuts | messages | gaps | faults |
| --- | --- | --- | --- | --- | --- |
${cutRows.join("\n")}

| killed and stopped | kills | stops | returns | messages | gaps | faults |
| --- | --- | --- | --- | --- | --- | --- |
${killRows.join("\n")}

| a Durable Object | aborts | evictions | deploys | returns | messages | gaps | faults |
| --- | --- | --- | --- | --- | --- | --- | --- |
${objectRows.join("\n")}`);
for (const fault of faults) console.error(fault);
process.exit(faults.length > 0 ? 1 : 0);

async function cut(name: string, start: () => Promise<AsyncDisposable & { readonly port: number }>): Promise<void> {
  await using servers = await start();
  const sum = await returnsThroughCuts(servers.port, returns, seed, (so) =>
    console.log(`${name}: ${so.returns} returns, ${so.cuts} cuts, ${so.messages} messages, ${so.gaps} gaps, ${so.faults.length} faults`),
  );
  note(name, sum.faults);
  cutRows.push(`| ${[name, sum.returns, sum.cuts, sum.messages, sum.gaps, sum.faults.length].join(" | ")} |`);
}

async function kill(runtime: (typeof runtimes)[number]): Promise<void> {
  await using servers = await Servers.start(runtime, true);
  const sum = { kills: 0, stops: 0, returns: 0, messages: 0, gaps: 0, faults: 0 };
  for (let room = 0; sum.kills < kills; room++) {
    const count = Math.min(killsPerRoom, kills - sum.kills);
    const result = await killsAndStops(servers, { kills: count, stops: Math.ceil(count / 4), seed: seed + room });
    note(
      runtime,
      result.faults.map((fault) => `seed ${result.seed}: ${fault}`),
    );
    for (const key of ["kills", "stops", "returns", "messages", "gaps"] as const) sum[key] += result[key];
    sum.faults += result.faults.length;
    console.log(`${runtime}: ${JSON.stringify(sum)}`);
    // One that can't go on would be tried for ever.
    if (result.kills === 0) break;
  }
  killRows.push(`| ${[runtime, ...Object.values(sum)].join(" | ")} |`);
}

async function disturb(): Promise<void> {
  await using objects = await Objects.start();
  const sum = { abort: 0, evict: 0, deploy: 0, returns: 0, messages: 0, gaps: 0, faults: 0 };
  for (let room = 0; sum.abort < kills; room++) {
    const abort = Math.min(killsPerRoom, kills - sum.abort);
    const others = Math.ceil(abort / 4);
    const result = await disturbances(objects, { abort, evict: others, deploy: others, seed: seed + room });
    note(
      "Durable Object",
      result.faults.map((fault) => `seed ${result.seed}: ${fault}`),
    );
    for (const key of ["abort", "evict", "deploy", "returns", "messages", "gaps"] as const) sum[key] += result[key];
    sum.faults += result.faults.length;
    console.log(`Durable Object: ${JSON.stringify(sum)}`);
  }
  objectRows.push(`| ${["workerd", ...Object.values(sum)].join(" | ")} |`);
}

function note(name: string, found: readonly string[]): void {
  for (const fault of found) faults.push(`${name}: ${fault}`);
}
