/**
 * Measures the cost of waking an object, compared with a bare object that reads the same attachments: `node bench/wake/run.ts [sockets] [rounds]`.
 * Both run in one workerd; in turns they are evicted and get a request. The measure is workerd's CPU time (from Linux), minus that of the same
 * request to the object when it is awake. workerd's clock does not advance while code runs, and wall time depends on the machine's other load.
 */
import { readFileSync, readdirSync } from "node:fs";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { bundleWorker } from "../../test/support/workerd.ts";

const [sockets = 10_000, rounds = 21] = process.argv.slice(2).map(Number);
const kinds = ["bare", "ours"] as const;
type Kind = (typeof kinds)[number];

const mf = new Miniflare(
  convertV4MiniflareOptions({
    workers: [
      {
        name: "wake",
        modules: true,
        script: await bundleWorker(new URL("worker.ts", import.meta.url).pathname),
        compatibilityDate: "2026-11-17",
        durableObjects: { OURS: "Ours", BARE: "Bare", CROWD: "Crowd" },
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      },
    ],
  }),
);
await mf.ready;
const origin = (await mf.unsafeGetDirectURL("wake", "default")).origin;

const workerd = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8")
  .trim()
  .split(" ")
  .find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("workerd"));

/** Milliseconds of CPU time of workerd's threads. */
function cpu(): number {
  const tasks = `/proc/${workerd}/task`;
  return readdirSync(tasks).reduce((sum, task) => sum + Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]), 0) / 1e6;
}

async function ask(path: string): Promise<string> {
  const response = await fetch(`${origin}${path}`);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
  return text;
}

async function timed(kind: Kind): Promise<number> {
  const before = cpu();
  const count = Number(await ask(`/count?kind=${kind}`));
  const took = cpu() - before;
  if (count !== sockets) throw new Error(`${kind} counts ${count} of ${sockets}`);
  return took;
}

/** A thousand at a time, because one event may use at most 30 s of CPU. */
for (const kind of kinds) {
  for (let from = 0; from < sockets; from += 1000) {
    await ask(`/join?kind=${kind}&from=${from}&to=${Math.min(from + 1000, sockets)}`);
    console.error(`${kind}: ${Math.min(from + 1000, sockets)} joined`);
  }
}
await ask("/copy");

const wakes: Record<Kind, number[]> = { bare: [], ours: [] };
for (let round = 0; round < rounds; round++) {
  for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) {
    await mf.unsafeEvictDurableObject("wake", kind === "ours" ? "Ours" : "Bare", { name: "room" });
    const asleep = await timed(kind);
    const awake = await timed(kind);
    wakes[kind].push(asleep - awake);
  }
}
await mf.dispose();

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const spread = (values: readonly number[]): string => {
  const sorted = values.toSorted((a, b) => a - b);
  return `${(sorted[Math.floor(sorted.length / 4)] ?? 0).toFixed(1)} to ${(sorted[Math.floor((sorted.length * 3) / 4)] ?? 0).toFixed(1)}`;
};
for (const kind of kinds)
  console.log(`${kind}: ${median(wakes[kind]).toFixed(1)} ms to wake ${sockets} sockets (quartiles ${spread(wakes[kind])})`);
const ratios = wakes.ours.map((ours, round) => ours / (wakes.bare[round] ?? Number.NaN));
console.log(`ratio of neighbours: ${median(ratios).toFixed(2)} (quartiles ${spread(ratios)})`);
