/**
 * What delivery costs: `node bench/delivery/run.ts --runtime node,bun,deno,durable --part fanout,returns,memory,crowd,unread`. Processor time of the server for
 * a delivery to a reader against one to a plain subscriber, and of a return against a plain handshake; memory of sessions; a crowd that comes back; a client
 * that reads nothing. `--write` writes docs/maintainers/delivery-costs.md.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { defaultGenerator } from "../load/load.ts";
import { machine } from "../report/results.ts";
import { runtimes, type Runtime } from "../servers/contenders.ts";
import { crowd } from "./crowd.ts";
import type { Memory } from "./memory.ts";
import { paired, type Pace, type Row, type Scene } from "./paired.ts";
import { unread } from "./unread.ts";

const fanout = ["fanout", "readers"] as const;
const scenes: readonly (Scene & { readonly part: string; readonly target: number })[] = [
  { part: "fanout", title: "a delivery, 10 readers", modes: fanout, connections: 10, inflight: 1, target: 0.9 },
  { part: "fanout", title: "a delivery, 1 000 readers", modes: fanout, connections: 1000, inflight: 1, target: 0.9 },
  {
    part: "fanout",
    title: "a delivery, 1 000 readers, 16 publishes under way",
    modes: fanout,
    connections: 1000,
    inflight: 16,
    target: 0.9,
  },
  {
    part: "returns",
    title: "a return, ten logs, nothing missed",
    modes: ["connect", "returns"],
    connections: 64,
    inflight: 64,
    target: 0.8,
  },
];

const { values } = parseArgs({
  options: {
    runtime: { type: "string", default: "node,bun,deno,durable" },
    part: { type: "string", default: "fanout,returns,memory,crowd,unread" },
    starts: { type: "string", default: "3" },
    rounds: { type: "string", default: "60" },
    slice: { type: "string", default: "50" },
    clients: { type: "string", default: "10000" },
    mebibytes: { type: "string", default: "256" },
    write: { type: "boolean", default: false },
  },
});
const parts = values.part.split(",");
const chosen = values.runtime.split(",") as Runtime[];
for (const runtime of chosen)
  if (!runtimes.includes(runtime) || runtime === "workers")
    throw new Error(`--runtime ${runtime}: must be one of node, bun, deno, durable`);
const generator = defaultGenerator();
// The Bun generator knows no delivery.
if (generator !== "c") throw new Error("bench/delivery needs a C compiler for the load generator");
const pace: Pace = {
  starts: Number(values.starts),
  rounds: Number(values.rounds),
  slice: Number(values.slice),
  warmUp: 1000,
  generator,
};

async function ratios(): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const runtime of chosen) {
    for (const { target, part, ...scene } of scenes) {
      if (!parts.includes(part)) continue;
      console.error(`${runtime}: ${scene.title} …`);
      const measured = line(await paired(runtime, scene, pace), target);
      console.error(measured);
      lines.push(measured);
    }
  }
  if (lines.length === 0) return [];
  return [
    "| runtime | | plain | with delivery | plain / with delivery | in quiet slices | target |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...lines,
  ];
}

function line({ runtime, title, plain, delivery, ratio, quiet }: Row, target: number): string {
  const of = `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`;
  return `| ${runtime} | ${title} | ${plain.toFixed(2)} µs | ${delivery.toFixed(2)} µs | ${of} | ${quiet.toFixed(2)} | ${target} |`;
}

async function others(): Promise<readonly string[]> {
  const lines: string[] = [];
  if (parts.includes("memory")) {
    const text = execFileSync(process.execPath, ["--expose-gc", join(import.meta.dirname, "memory.ts")], { encoding: "utf8" });
    const { plain, idle, away } = JSON.parse(text) as Memory;
    lines.push(
      `| memory of an idle session over a plain connection's ${Math.round(plain)} bytes, in the core | ${Math.round(idle)} bytes | at most 600 |`,
      `| memory of a session without its client, in the core | ${Math.round(away)} bytes | at most 2048 |`,
    );
  }
  if (parts.includes("crowd")) {
    const seconds = await crowd("node", Number(values.clients), generator);
    lines.push(
      `| ${values.clients} clients come back to one server on Node, until the last is live | ${seconds.toFixed(1)} s | at most 15 |`,
    );
  }
  if (parts.includes("unread")) {
    for (const kind of ["reading", "delivery", "plain"] as const) {
      console.error(`durable: unread, ${kind} …`);
      const grown = await unread("durable", kind, Number(values.mebibytes));
      const who = {
        reading: "a reader that reads",
        delivery: "a reader that reads nothing",
        plain: "a plain subscriber that reads nothing",
      }[kind];
      const target = kind === "delivery" ? "no more than for one that reads, and the window" : "";
      lines.push(`| memory of workerd after ${values.mebibytes} MiB to ${who} | ${grown.toFixed(0)} MiB more | ${target} |`);
    }
  }
  return lines.length === 0 ? [] : ["| | measured | target |", "| --- | --- | --- |", ...lines];
}

const tables = [(await ratios()).join("\n"), (await others()).join("\n")].filter((table) => table !== "").join("\n\n");
console.log(tables);
if (values.write) {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const page = `# What delivery costs

For maintainers. \`node bench/delivery/run.ts --write\` wrote this page: processor time of the server with delivery and without it. Both run the same
handler, whose topics keep 100 messages, side by side; they take turns, in ${values.starts} starts of ${values.rounds} slices of ${values.slice} ms. Publishes are 32 bytes of text. A
plain handshake opens a connection that subscribes to ten topics; a return is that of a client to its session, with positions in ten logs. Both close.
Medians; the ratio is that of slices one after the other (brackets: quartiles). "In quiet slices" compares the lowest tenths: other work on the machine makes
a slice cost more, never less. On an object every session has a row, which a return writes.

Commit ${commit}, ${new Date().toISOString().slice(0, 10)}, ${machine()}. The load of the machine was ${loadavg()[1]!.toFixed(1)}: above 2 other work took
part of it, and ratios are rough.

${tables}
`;
  writeFileSync(join(import.meta.dirname, "../../docs/maintainers/delivery-costs.md"), page);
}
process.exit();
