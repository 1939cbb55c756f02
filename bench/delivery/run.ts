import { parseArgs } from "node:util";
import { defaultGenerator } from "../load/load.ts";
import type { Runtime } from "../servers/contenders.ts";
import { paired, type Pace, type Scene } from "./paired.ts";

const scenes: readonly (Scene & { readonly part: string })[] = [
  { part: "fanout", title: "a delivery to one of 10 readers", modes: ["fanout", "readers"], connections: 10, inflight: 1 },
  { part: "fanout", title: "a delivery to one of 1 000 readers", modes: ["fanout", "readers"], connections: 1000, inflight: 1 },
  { part: "returns", title: "a handshake", modes: ["connect", "returns"], connections: 64, inflight: 64 },
];
const { values } = parseArgs({
  options: {
    runtime: { type: "string", default: "node,bun,deno,durable" },
    part: { type: "string", default: "fanout,returns" },
    starts: { type: "string", default: "1" },
    rounds: { type: "string", default: "10" },
    slice: { type: "string", default: "150" },
  },
});
const pace: Pace = {
  starts: Number(values.starts),
  rounds: Number(values.rounds),
  slice: Number(values.slice),
  warmUp: 1000,
  generator: defaultGenerator(),
};
for (const runtime of values.runtime.split(",") as Runtime[])
  for (const scene of scenes.filter(({ part }) => values.part.split(",").includes(part))) {
    const row = await paired(runtime, scene, pace);
    console.log(
      row.runtime,
      row.title,
      row.plain.toFixed(2),
      row.delivery.toFixed(2),
      row.ratio.low.toFixed(2),
      row.ratio.median.toFixed(2),
      row.ratio.high.toFixed(2),
    );
  }
