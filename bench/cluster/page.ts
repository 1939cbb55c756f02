/** docs/maintainers/cluster-costs.md and its charts, from all results that there are. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Spread } from "../measure/statistics.ts";
import { describe, draw, type Chart } from "../report/chart.ts";
import { microseconds } from "../report/table.ts";
import { peerVersion } from "../servers/peers.ts";
import { contender } from "./contenders.ts";
import type { Cost, Crowd } from "./crowd.ts";
import { bytes, type Row, type Scene } from "./fanout.ts";
import { load, type Parts, type Result } from "./results.ts";

const docs = join(import.meta.dirname, "../../docs/maintainers");
const charts = "cluster-costs";
/** How many times crossws's deliveries Edgewire has to do, at 100 subscribers. */
const target = { subscribers: 100, times: 2 };
const peers = ["crossws", "socket.io", "@socket.io/redis-adapter", "@socket.io/redis-streams-adapter", "ioredis"];

export function writePage(): string {
  mkdirSync(join(docs, charts), { recursive: true });
  const sections = [head(), fanout(load("fanout")), latency(load("latency")), crowd(load("crowd")), elsewhere(load("elsewhere"))];
  const file = join(docs, "cluster-costs.md");
  writeFileSync(file, sections.filter((section) => section !== undefined).join(""));
  return file;
}

function head(): string {
  return `# What a cluster costs

For maintainers. \`node bench/cluster/run.ts --part fanout,latency,crowd,elsewhere --write\` wrote this page. One to four nodes on Node share one Redis, and
clients are spread over the nodes. Messages are ${bytes} bytes of text. What counts is processor time of all nodes and of Redis together: nodes and Redis have one
core, the load generator the other. Contenders run at the same time and take turns in short slices; ratios are those of slices of one round. Brackets: quartiles.

The same work for all: a client sends, its node publishes to a room, and each client in the room gets it, in order; the generator checks each message.
Versions: ${peers.map((name) => `${name} ${peerVersion(name) ?? "none"}`).join(", ")}.
`;
}

function measured({ pace: { starts, rounds, slice }, where }: Result): string {
  const isBusy = Number(/load (\d+)$/.exec(where)?.[1]) > 3;
  const note = isBusy ? " Preliminary: other work took most of the machine, so times are long, and ratios rough." : "";
  return `Measured: ${where}; starts: ${starts}, rounds of each: ${rounds}, slices of ${slice} ms.${note}`;
}

// ---- Fan-out

function fanout(result: Result<"fanout"> | undefined): string | undefined {
  if (result === undefined) return undefined;
  const bySize = Map.groupBy(result.measured, ({ scene }) => scene.subscribers);
  const sections = [...bySize].map(([subscribers, scenes]) => fanoutOf(subscribers, scenes));
  return `
## Deliveries for a second of processor time

${who(result.measured[0]?.rows ?? [])}

${sections.join("\n")}
${measured(result)}
`;
}

function who(rows: readonly Row[]): string {
  return table(
    ["", "what it is"],
    rows.map(({ name }) => [bold(name), contender(name).what]),
  );
}

function fanoutOf(subscribers: number, scenes: Parts["fanout"]): string {
  const chart = chartOf(subscribers, scenes);
  const file = `${charts}/fanout-${subscribers}.svg`;
  writeFileSync(join(docs, file), draw(chart));
  const rows = scenes.flatMap(({ scene, rows: all }) =>
    all.map((row, index) => [index === 0 ? nodesOf(scene) : "", bold(row.name), ...cells(row, all, scene)]),
  );
  const columns = ["nodes", "", "deliveries", "× crossws", "a delivery, nodes", "a publish, nodes", "a publish, Redis"];
  const goal =
    subscribers === target.subscribers ? `Target: Edgewire at least ${target.times} times crossws, which also keeps nothing.\n` : "";
  return `### ${count(subscribers)} subscribers, ${scenes[0]?.scene.inflight} publishes under way

![${describe(chart.groups)}](${file})

${table(columns, rows)}

${goal}`;
}

function nodesOf({ nodes }: Scene): string {
  return nodes === 1 ? "1 node" : `${nodes} nodes`;
}

function cells(row: Row, all: readonly Row[], { subscribers }: Scene): readonly string[] {
  const crossws = all.find(({ name }) => name === "crossws");
  const { rate, nodes, redis } = row;
  return [
    `${count(rate.median)} (${count(rate.low)} to ${count(rate.high)})`,
    crossws === undefined ? "" : (row.ratio.median / crossws.ratio.median).toFixed(2),
    `${nodes.toFixed(2)} µs`,
    `${(nodes * subscribers).toFixed(0)} µs`,
    `${(redis * subscribers).toFixed(1)} µs`,
  ];
}

function chartOf(subscribers: number, scenes: Parts["fanout"]): Chart {
  return {
    title: `${count(subscribers)} subscribers over one to four nodes and one Redis`,
    note: "Deliveries for a second of processor time of nodes and Redis. Longer is better; the thin line is the middle half of the rounds.",
    groups: scenes.map(({ scene, rows }) => ({
      name: nodesOf(scene),
      bars: rows.map(({ name, rate: { low, median, high } }) => {
        return { label: name, value: median, low, high, text: count(median), kind: contender(name).kind };
      }),
    })),
  };
}

// ---- Latency

function latency(result: Result<"latency"> | undefined): string | undefined {
  if (result === undefined) return undefined;
  const { plain, rows } = result.measured;
  const columns = ["", "median", "99 %", "processor time of nodes", "of Redis"];
  const redis = ["Redis alone: `PUBLISH` on one connection, heard on another", microseconds(plain.p50), microseconds(plain.p99), "", ""];
  const lines = rows.map((row) => [
    bold(row.name),
    microseconds(row.p50),
    microseconds(row.p99),
    `${row.nodes.toFixed(0)} µs`,
    `${row.redis.toFixed(0)} µs`,
  ]);
  return `
## Latency

From a client's message at one node until a subscriber at another node has it. One message at a time, which is where batches help least.

${table(columns, [redis, ...lines])}

${measured(result)}
`;
}

// ---- Crowd

function crowd(result: Result<"crowd"> | undefined): string | undefined {
  if (result === undefined) return undefined;
  const { size, rows } = result.measured;
  const one = (name: string, { seconds, cpu, redis }: Cost): readonly string[] => [name, time(seconds), time(cpu), time(redis)];
  const lines = rows.flatMap((row: Crowd) =>
    [
      one(`${count(size.connections)} connections open`, row.opened),
      one("a message in each room, to all", row.message),
      one(`a node is killed, ${count(row.moved.connections)} clients come back`, row.moved),
      one("a message in each room, thereafter", row.after),
    ].map((line, index) => [index === 0 ? bold(row.name) : "", ...line]),
  );
  return `
## Many rooms, and a node that dies

${count(size.connections)} connections over ${size.nodes} nodes in ${count(size.rooms)} rooms, each of which has connections at every node. One node gets SIGKILL; its clients come back to
the others at once, 400 handshakes at a time. Times are from the first lost connection to the last that is open again. Processor time is that of the
nodes that live, and of Redis; handshakes are most of it, with one core for all.

${table(["", "", "until it is done", "processor time, nodes and Redis", "of that Redis"], lines)}

${measured(result)}
`;
}

// ---- Elsewhere

function elsewhere(result: Result<"elsewhere"> | undefined): string | undefined {
  if (result === undefined) return undefined;
  const within = ({ low, median, high }: Spread, digits: number): string =>
    `${fixed(median, digits)} (${fixed(low, digits)} to ${fixed(high, digits)})`;
  const lines = result.measured.map((row) => [bold(row.name), count(row.publishes), within(row.bytes, 1), `${within(row.cpu, 2)} µs`]);
  return `
## A room that nobody of a node's own is in

Three nodes. Two have connections in a room, where messages are published; the third one has a client in another room. What the third node reads and
spends while the room is busy, beyond what it does in as long a time while the room is quiet, for each publish. Target: nothing.

${table(["", "publishes in a slice", "bytes read for each", "processor time for each"], lines)}

${measured(result)}
`;
}

// ---- Text

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return [columns, columns.map((_, index) => (index < 2 ? "---" : "---:")), ...rows]
    .map((cellsOf) => `| ${cellsOf.join(" | ")} |`)
    .join("\n");
}

function bold(name: string): string {
  return name === "edgewire" ? `**${name}**` : name;
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function time(seconds: number): string {
  return seconds >= 1 ? `${seconds.toFixed(2)} s` : `${(seconds * 1000).toFixed(seconds < 0.1 ? 1 : 0)} ms`;
}

/** Avoids "-0.0". */
function fixed(value: number, digits: number): string {
  return value.toFixed(digits).replace(/^-(?=0\.0*$)/, "");
}
