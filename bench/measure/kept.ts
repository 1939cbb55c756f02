/**
 * What it costs to keep a topic's messages in a file: `node bench/measure/kept.ts --runtime node,bun,deno`. Processor time of the server for each
 * publish of 100 bytes to a topic with a history, in memory and in a file; all servers of a runtime run at the same time and take turns. `--write`
 * writes docs/maintainers/kept.md.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bunBinary, denoBinary, denoFlags } from "../../test/support/runtimes.ts";
import { defaultGenerator, Load } from "../load/load.ts";
import { machine } from "../report/results.ts";
import type { Runtime } from "../servers/contenders.ts";
import { Server } from "../servers/server.ts";
import { spread, type Spread } from "./statistics.ts";

const runtimes = ["node", "bun", "deno"] as const;
/** In memory; in a file that outlives the process; in one that outlives a loss of power. */
const contenders = ["memory", "process", "power"] as const;

interface Scene {
  readonly title: string;
  readonly subscribers: number;
  readonly inflight: number;
}

const scenes: readonly Scene[] = [
  { title: "1 subscriber, 16 under way", subscribers: 1, inflight: 16 },
  { title: "1 subscriber, one at a time", subscribers: 1, inflight: 1 },
  { title: "1 000 subscribers, 16 under way", subscribers: 1000, inflight: 16 },
];

interface Row extends Scene {
  readonly runtime: Runtime;
  readonly kept: (typeof contenders)[number];
  /** Microseconds of processor time for each publish. */
  readonly cost: Spread;
  /** To memory's, slice by slice. */
  readonly ratio: Spread;
  /** Publishes a second. */
  readonly rate: number;
}

const { values } = parseArgs({
  options: {
    runtime: { type: "string", default: runtimes.join(",") },
    rounds: { type: "string", default: "30" },
    slice: { type: "string", default: "150" },
    write: { type: "boolean", default: false },
  },
});

async function measure(runtime: Runtime, scene: Scene): Promise<Row[]> {
  const stops: { stop(): void }[] = [];
  try {
    const running = [];
    for (const kept of contenders) {
      const server = await Server.start("kept", runtime, kept);
      stops.push(server);
      const options = { mode: "fanout", connections: scene.subscribers, inflight: scene.inflight, bytes: 100, type: "text" } as const;
      const load = await Load.start(server.port, options, defaultGenerator());
      stops.push(load);
      running.push({ kept, server, load, costs: [] as number[], rates: [] as number[] });
    }
    for (const { load } of running) await load.slice(500);
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const { server, load, costs, rates } of running) {
        const before = server.cpu;
        const { messages, ms } = await load.slice(Number(values.slice));
        const publishes = messages / scene.subscribers;
        costs.push((server.cpu - before) / 1000 / publishes);
        rates.push((publishes / ms) * 1000);
      }
    }
    const [memory] = running;
    return running.map(({ kept, costs, rates }) => ({
      runtime,
      ...scene,
      kept,
      cost: spread(costs),
      ratio: spread(costs.map((cost, index) => cost / memory!.costs[index]!)),
      rate: spread(rates).median,
    }));
  } finally {
    for (const each of stops) each.stop();
  }
}

const rows: Row[] = [];
for (const runtime of values.runtime.split(",") as (typeof runtimes)[number][]) {
  if (!runtimes.includes(runtime)) throw new Error(`--runtime ${runtime}: must be one of ${runtimes.join(", ")}`);
  for (const scene of scenes) {
    console.error(`${runtime}: ${scene.title} …`);
    rows.push(...(await measure(runtime, scene)));
  }
}

/** How long a file of 1 GB takes to open, in milliseconds. */
function opening(): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), "edgewire-opening-"));
  const program = join(import.meta.dirname, "opening.ts");
  const file = join(folder, "rooms.db");
  const run = (command: string, ...args: readonly string[]): string =>
    execFileSync(command, [...args, program, file], { encoding: "utf8" }).trim();
  try {
    run(process.execPath);
    const size = (statSync(file).size / 1e9).toFixed(1);
    const commands = [
      ["node", process.execPath],
      ["bun", bunBinary],
      ["deno", denoBinary(), ...denoFlags],
    ] as const;
    return commands.map(([name, command, ...flags]) => `| ${name} | ${size} GB | ${run(command, ...flags)} ms |`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const opened = values.write ? opening() : [];
const table = [
  "| runtime | | kept in | a publish | times memory | publishes a second |",
  "| --- | --- | --- | --- | --- | --- |",
  ...rows.map(({ runtime, title, kept, cost, ratio, rate }) => {
    const where = kept === "memory" ? "memory" : `a file, \`${kept}\``;
    return `| ${runtime} | ${title} | ${where} | ${cost.median.toFixed(1)} µs | ${ratio.median.toFixed(2)} | ${Math.round(rate).toLocaleString("en").replaceAll(",", " ")} |`;
  }),
].join("\n");
console.log(table);
if (values.write) {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const page = `# What keeping messages in a file costs

For maintainers. \`node bench/measure/kept.ts --write\` wrote this page: processor time of the server for each publish of 100 bytes of text to a topic
that keeps its last 100 messages, in memory and by \`edgewire/sqlite\` with \`durability: "process"\` and \`"power"\`. Servers of a runtime ran
side by side and took turns, in ${values.rounds} slices of ${values.slice} ms; medians. The ratio is that of slices one after the other.

Commit ${commit}, ${new Date().toISOString().slice(0, 10)}, ${machine()}.

${table}

Opening a file with 100 000 rooms that each have something due, and asking for the first:

| runtime | file | open |
| --- | --- | --- |
${opened.join("\n")}

Targets: with 1 subscriber and 16 under way at most 1.8 times memory on Node and 1.4 on Bun and Deno, and at least 30 000 a second; with 1 000
subscribers at most 1.05; a file of 1 GB opens in under 100 ms.
`;
  writeFileSync(join(import.meta.dirname, "../../docs/maintainers/kept.md"), page);
}
