/**
 * Measures the server's CPU time for a publish, by size of the room and the topic: `node bench/measure/publish.ts --runtime node,bun,durable`.
 * Medians and quartiles; one publish of 32 bytes at a time, on real connections. All servers of a comparison run at the same time and take turns.
 */
import { parseArgs } from "node:util";
import { runtimes, type Runtime } from "../servers/contenders.ts";
import { defaultGenerator, Load } from "../load/load.ts";
import { Server } from "../servers/server.ts";
import { spread, type Spread } from "./statistics.ts";
import { isWorkerd } from "../servers/workerd.ts";

interface Scene {
  /** Connections in the room, including the topic's subscribers. */
  readonly room: number;
  readonly topic: number;
}

interface Row extends Scene {
  readonly runtime: Runtime;
  /** Microseconds of CPU time for each publish. */
  readonly publish: Spread;
}

const { values } = parseArgs({
  options: {
    runtime: { type: "string", default: "node,bun" },
    rounds: { type: "string", default: "9" },
    slice: { type: "string", default: "300" },
    json: { type: "boolean", default: false },
  },
});

const rows: Row[] = [];
for (const runtime of values.runtime.split(",") as Runtime[]) {
  if (!runtimes.includes(runtime)) throw new Error(`--runtime ${runtime}: must be one of ${runtimes.join(", ")}`);
  // A plain Worker has no rooms. workerd needs two descriptors for each connection, and many machines allow a process 20 000.
  if (runtime === "workers") throw new Error("--runtime workers: a plain Worker has no rooms");
  const largest = isWorkerd(runtime) ? 8000 : 10_000;
  rows.push(
    ...(await measure(
      runtime,
      [100, 1000, largest].map((room) => ({ room, topic: 20 })),
    )),
  );
  rows.push(
    ...(await measure(
      runtime,
      [10, 100, 1000].map((topic) => ({ room: 2000, topic })),
    )),
  );
}
console.log(values.json ? JSON.stringify(rows) : table(rows));

async function measure(runtime: Runtime, scenes: readonly Scene[]): Promise<Row[]> {
  const stops: { stop(): void }[] = [];
  try {
    const contenders = [];
    for (const scene of scenes) {
      const server = await Server.start("edgewire", runtime, "fanout");
      stops.push(server);
      const open = async (mode: string, connections: number): Promise<Load> => {
        const load = await Load.start(server.port, { mode, connections, inflight: 1, bytes: 32, type: "text" }, defaultGenerator());
        stops.push(load);
        return load;
      };
      await open("idle", scene.room - scene.topic - 1);
      contenders.push({ scene, server, load: await open("fanout", scene.topic), costs: [] as number[] });
    }
    for (const { load } of contenders) await load.slice(500);
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const { scene, server, load, costs } of contenders) {
        const before = server.cpu;
        const { messages } = await load.slice(Number(values.slice));
        costs.push((server.cpu - before) / 1000 / (messages / scene.topic));
      }
    }
    return contenders.map(({ scene, costs }) => ({ runtime, ...scene, publish: spread(costs) }));
  } finally {
    for (const each of stops) each.stop();
  }
}

function table(all: readonly Row[]): string {
  const lines = all.map(({ runtime, room, topic, publish: { low, median, high } }) =>
    [runtime, room, topic, `${median.toFixed(0)} µs (${low.toFixed(0)}-${high.toFixed(0)})`, `${(median / topic).toFixed(2)} µs`].join(
      " | ",
    ),
  );
  return [
    "| runtime | in the room | subscribers | a publish | each delivery |",
    "|---|---|---|---|---|",
    ...lines.map((line) => `| ${line} |`),
  ].join("\n");
}
