/**
 * Mode `slow`: one client that never reads, among many that do. Each round publishes a small message to all of them, and a large one only to that
 * client. The same is measured before with a client that reads, as a baseline for the server's memory and the others' latency.
 */
import { handshake, type Client } from "../../test/support/client.ts";
import { Running } from "../../test/support/runtimes.ts";
import { Watch } from "../../test/fuzz/watch.ts";
import type { HandlerName } from "../../test/support/handler.ts";
import type { Comparison } from "../report/comparison.ts";
import type { Pace } from "./measure.ts";
import type { Row, Slow } from "../report/results.ts";
import { quantile, spread } from "./statistics.ts";

/** The policies for slow readers, and the contract's handlers that use them. */
const policies: readonly (readonly [HandlerName, string])[] = [
  ["main", '"close" at 16 MiB'],
  ["dropping", '"drop" at 256 KiB'],
  ["latest", '"coalesce" over 16 KiB'],
];
const patience = 60_000;
/** The latency of the others needs more samples than one slice has. */
const roundsOf = ({ rounds }: Pace): number => rounds * 10;

export async function slow(comparison: Comparison, pace: Pace): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const [on, name] of policies) {
    const running = await Running.start(comparison.runtime);
    try {
      rows.push({ name, ...(await compare(running, on, comparison, { ...pace, progress: (text) => pace.progress(`${name}: ${text}`) })) });
    } finally {
      await running.stop();
    }
  }
  return rows;
}

async function compare(running: Running, on: HandlerName, comparison: Comparison, pace: Pace): Promise<Pick<Row, "reading" | "deaf">> {
  const { port } = running.address(on)!;
  const connect = (open: unknown): Promise<Client> => {
    const query = new URLSearchParams({ tag: "slow", peer: "0", message: "run", open: JSON.stringify(open) });
    return handshake({ port }, { target: `/?${query}` }, patience);
  };
  const everyone: Client[] = [];
  for (let index = 0; index < comparison.connections; index++) everyone.push(await connect([["subscribe", "news"]]));
  const special = await connect([
    ["subscribe", "news"],
    ["subscribe", "heavy"],
  ]);
  const sender = await connect([]);
  const watch = new Watch(port, false);
  const waited: number[] = [];
  const publish = JSON.stringify([
    ["publish", "heavy", { letter: "h", times: comparison.bytes }],
    ["publish", "news", { letter: "n", times: 1024 }],
  ]);
  const measure = async (phase: string): Promise<Slow> => {
    const latency: number[] = [];
    const before = watch.memory;
    let most = before;
    for (let round = 0; round < roundsOf(pace); round++) {
      const start = performance.now();
      sender.send(publish);
      await Promise.all(everyone.map((reader) => reader.next().then(() => waited.push(performance.now() - start))));
      latency.push(...waited.splice(0));
      if (round % 10 < 9) continue;
      most = Math.max(most, watch.memory);
      pace.progress(`${phase}, round ${round + 1} of ${roundsOf(pace)}`);
    }
    return { grown: most - before, latency: spread(latency), p99: quantile(latency, 0.99) };
  };
  const forget = setInterval(() => (special.pending as unknown[]).splice(0), 10);
  await measure("warming up");
  const reading = await measure("reads");
  clearInterval(forget);
  special.pause();
  return { reading, deaf: await measure("never reads") };
}
