/**
 * What a cluster costs, beside crossws and Socket.IO: `node bench/cluster/run.ts --part fanout,latency,crowd,elsewhere`. `--write` keeps the results of these
 * parts, and writes docs/maintainers/cluster-costs.md with all that there are. It needs a C compiler, Redis 7 and a build (`npm run build`).
 */
import { parseArgs } from "node:util";
import { defaultGenerator } from "../load/load.ts";
import { installPeers } from "../servers/peers.ts";
import { contender, defaultNames } from "./contenders.ts";
import { crowd, type Crowd } from "./crowd.ts";
import { elsewhere, type Elsewhere } from "./elsewhere.ts";
import { fanout, type Pace, type Scene } from "./fanout.ts";
import { latency } from "./latency.ts";
import { writePage } from "./page.ts";
import { parts, save, type Part, type Parts } from "./results.ts";

const { values } = parseArgs({
  options: {
    part: { type: "string", default: parts.join(",") },
    /** Separated by semicolons: names have commas. */
    servers: { type: "string", default: defaultNames.join(";") },
    nodes: { type: "string", default: "1,2,3,4" },
    subscribers: { type: "string", default: "100,1000" },
    inflight: { type: "string", default: "16" },
    starts: { type: "string", default: "3" },
    rounds: { type: "string", default: "20" },
    slice: { type: "string", default: "200" },
    connections: { type: "string", default: "10000" },
    rooms: { type: "string", default: "1000" },
    write: { type: "boolean", default: false },
  },
});

const chosen = values.part.split(",").map((name): Part => {
  const found = parts.find((part) => part === name);
  if (found === undefined) throw new Error(`--part ${name}: must be of ${parts.join(", ")}`);
  return found;
});
const names = values.servers.split(";");
for (const name of names) contender(name);
const numbers = (list: string): readonly number[] => list.split(",").map(Number);
const pace: Pace = { starts: Number(values.starts), rounds: Number(values.rounds), slice: Number(values.slice), warmUp: 2000 };

const measures: { readonly [Name in Part]: () => Promise<Parts[Name]> } = {
  async fanout() {
    const measured: Parts["fanout"][number][] = [];
    for (const subscribers of numbers(values.subscribers)) {
      for (const nodes of numbers(values.nodes)) {
        const scene: Scene = { nodes, subscribers, inflight: Number(values.inflight) };
        console.error(`fanout: ${subscribers} subscribers, nodes: ${nodes} …`);
        measured.push({ scene, rows: await fanout(scene, names, pace) });
      }
    }
    return measured;
  },
  latency: () => latency(names, pace),
  async crowd() {
    const size = { nodes: 4, connections: Number(values.connections), rooms: Number(values.rooms) };
    const rows: Crowd[] = [];
    for (const name of names) {
      console.error(`crowd: ${name} …`);
      rows.push(await crowd(name, size));
    }
    return { size, rows };
  },
  async elsewhere() {
    const rows: Elsewhere[] = [];
    for (const name of names) {
      console.error(`elsewhere: ${name} …`);
      rows.push(await elsewhere(name, pace));
    }
    return rows;
  },
};

async function run<Name extends Part>(part: Name): Promise<void> {
  const measured = await measures[part]();
  console.log(part, JSON.stringify(measured, null, 2));
  if (values.write) save(part, measured, pace);
}

if (defaultGenerator() !== "c") throw new Error("bench/cluster needs a C compiler for the load generator");
installPeers();
for (const part of chosen) await run(part);
if (values.write) console.error(writePage());
