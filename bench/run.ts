/**
 * `npm run bench -- --runtime node --mode echo`: all servers of a comparison are alive at once, and get short slices in rotation, so
 * that whatever else the machine does meets all of them. Ratios are of neighbours in the same round; medians with their quartiles.
 */
import { parseArgs } from "node:util";
import { Load, Server, runtimes, type LoadOptions, type Runtime, type Slice } from "./processes.ts";
import { median, quartiles } from "./statistics.ts";

const { values } = parseArgs({
  options: {
    runtime: { type: "string", default: "node" },
    mode: { type: "string", default: "echo" },
    servers: { type: "string", default: "bare,edgewire" },
    connections: { type: "string" },
    inflight: { type: "string" },
    bytes: { type: "string", default: "32" },
    type: { type: "string", default: "text" },
    rounds: { type: "string", default: "15" },
    slice: { type: "string", default: "400" },
  },
});

const runtime = values.runtime as Runtime;
if (!runtimes.includes(runtime)) throw new Error(`--runtime ${runtime}: must be one of ${runtimes.join(", ")}`);
const options: LoadOptions = {
  mode: values.mode,
  connections: Number(values.connections ?? { echo: 64, latency: 1, fanout: 1000, idle: 2000 }[values.mode] ?? 64),
  inflight: Number(values.inflight ?? { echo: 8, connect: 64 }[values.mode] ?? 1),
  bytes: Number(values.bytes),
  type: values.type as "text" | "binary",
};

interface Contender {
  readonly server: Server;
  readonly load: Load;
  readonly slices: (Slice & { readonly cpu: number })[];
}

const contenders: Contender[] = [];
try {
  for (const name of values.servers.split(",")) {
    const server = await Server.start(name, runtime, options.mode);
    contenders.push({ server, load: await Load.start(server, options), slices: [] });
  }
  for (const { load } of contenders) await load.slice(1000);
  for (let round = 1; round <= Number(values.rounds); round++) {
    // Another order each round: whoever is first meets a core that has rested.
    for (let turn = 0; turn < contenders.length; turn++) await measure(contenders[(turn + round) % contenders.length]!);
    process.stderr.write(`\r${options.mode} on ${runtime}: round ${round} of ${values.rounds} `);
  }
  process.stderr.write("\n");
  print();
} finally {
  for (const { server, load } of contenders) {
    load.stop();
    server.stop();
  }
}

async function measure({ server, load, slices }: Contender): Promise<void> {
  const before = server.cpu;
  const slice = await load.slice(Number(values.slice));
  slices.push({ ...slice, cpu: server.cpu - before });
}

function print(): void {
  const [bare] = contenders;
  for (const { server, slices } of contenders) {
    const rate = (slice: Slice): number => (slice.messages / slice.ms) * 1000;
    const cost = (slice: { cpu: number; messages: number }): number => slice.cpu / slice.messages;
    const ratio = slices.map((slice, round) => cost(bare!.slices[round]!) / cost(slice));
    const [low, high] = quartiles(ratio);
    const columns = [
      server.name.padEnd(10),
      `${Math.round(median(slices.map(rate))).toLocaleString("en")}/s`.padStart(14),
      `${(median(slices.map(cost)) / 1000).toFixed(2)} us CPU`.padStart(14),
      `${median(ratio).toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})`.padStart(20),
    ];
    if (slices[0]?.p50 !== undefined) {
      columns.push(
        `p50 ${(median(slices.map((slice) => slice.p50 ?? 0)) / 1000).toFixed(1)} us`,
        `p99 ${(median(slices.map((slice) => slice.p99 ?? 0)) / 1000).toFixed(1)} us`,
      );
    }
    console.log(columns.join("  "));
  }
}
