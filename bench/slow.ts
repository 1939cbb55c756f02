/**
 * `npm run bench:slow -- --runtime node`: one reader that never reads, among 1 000 that do. Each round publishes a small message to
 * all of them and a large one to that one alone. The same is measured before with one that reads: what the server's memory and the
 * others' latency were without it.
 */
import { parseArgs } from "node:util";
import { handshake, type Client } from "../test/client.ts";
import { Running, processRuntimes, type ProcessRuntime } from "../test/runtimes.ts";
import { Watch } from "../test/fuzz/watch.ts";
import type { HandlerName } from "../test/handler.ts";
import { median, quartiles } from "./statistics.ts";

const { values } = parseArgs({
  options: {
    runtime: { type: "string", default: "node" },
    policy: { type: "string" },
    readers: { type: "string", default: "1000" },
    rounds: { type: "string", default: "200" },
    bytes: { type: "string", default: "262144" },
  },
});
const runtime = values.runtime as ProcessRuntime;
if (!processRuntimes.includes(runtime)) throw new Error(`--runtime ${runtime}: must be one of ${processRuntimes.join(", ")}`);
const [readers, rounds, bytes] = [Number(values.readers), Number(values.rounds), Number(values.bytes)];

/** The policies, by the handlers of the contract's application that have them. */
const policies: readonly (readonly [HandlerName, string])[] = [
  ["main", '"close" at 16 MiB'],
  ["dropping", '"drop" at 256 KiB'],
  ["latest", '"coalesce" over 16 KiB'],
];
const patience = 60_000;
const waited: number[] = [];

console.log(`${runtime}: ${readers} readers, ${rounds} rounds of 1 KiB to all and ${bytes / 1024} KiB to one; MiB, ms (quartiles)`);
for (const [on, name] of policies) if (values.policy === undefined || name.includes(values.policy)) await compare(on, name);
process.exit();

async function compare(on: HandlerName, name: string): Promise<void> {
  const running = await Running.start(runtime);
  try {
    const { port } = running.address(on)!;
    const connect = (open: unknown): Promise<Client> => {
      const query = new URLSearchParams({ tag: "slow", peer: "0", message: "run", open: JSON.stringify(open) });
      return handshake({ port }, { target: `/?${query}` }, patience);
    };
    const everyone: Client[] = [];
    for (let index = 0; index < readers; index++) everyone.push(await connect([["subscribe", "news"]]));
    const special = await connect([
      ["subscribe", "news"],
      ["subscribe", "heavy"],
    ]);
    const sender = await connect([]);
    const watch = new Watch(port, false);
    const measure = async (): Promise<{ latency: number[]; grown: number }> => {
      const latency: number[] = [];
      const before = watch.memory;
      let most = before;
      for (let round = 0; round < rounds; round++) {
        const start = performance.now();
        sender.send(
          JSON.stringify([
            ["publish", "heavy", { letter: "h", times: bytes }],
            ["publish", "news", { letter: "n", times: 1024 }],
          ]),
        );
        await Promise.all(everyone.map((reader) => reader.next().then(() => waited.push(performance.now() - start))));
        latency.push(...waited.splice(0));
        if (round % 10 === 9) most = Math.max(most, watch.memory);
      }
      return { latency, grown: most - before };
    };
    const forget = setInterval(() => (special.pending as unknown[]).splice(0), 10);
    await measure();
    const reading = await measure();
    clearInterval(forget);
    special.pause();
    const deaf = await measure();
    console.log(`  ${name.padEnd(22)} read: ${show(reading)}   never read: ${show(deaf)}`);
  } finally {
    await running.stop();
  }
}

function show({ latency, grown }: { latency: readonly number[]; grown: number }): string {
  const [low, high] = quartiles(latency).map((value) => value.toFixed(1));
  return `memory +${grown.toFixed(0).padStart(3)}, latency ${median(latency).toFixed(1)} (${low}-${high}), 99% ${at(latency, 0.99).toFixed(1)}`;
}

function at(latency: readonly number[], share: number): number {
  return latency.toSorted((a, b) => a - b)[Math.floor((latency.length - 1) * share)]!;
}
