/** Redis alone: one connection publishes, another one is subscribed. Argument: the address of Redis. `go <milliseconds>` on stdin measures one publish at a time. */
import process from "node:process";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import { quantile } from "../../measure/statistics.ts";

const [url = ""] = process.argv.slice(2);
const [client, subscriber] = [new Redis(url), new Redis(url)];
const message = "x".repeat(100);
let heard: () => void = () => {};
subscriber.on("message", () => heard());
await subscriber.subscribe("plain");

async function measure(milliseconds: number): Promise<void> {
  const samples: number[] = [];
  const until = performance.now() + milliseconds;
  while (performance.now() < until) {
    const { promise, resolve } = Promise.withResolvers<void>();
    heard = resolve;
    const before = performance.now();
    const published = client.publish("plain", message);
    await promise;
    samples.push((performance.now() - before) * 1e6);
    await published;
  }
  console.log(JSON.stringify({ p50: quantile(samples, 0.5), p99: quantile(samples, 0.99) }));
}

createInterface({ input: process.stdin }).on("line", (line) => void measure(Number(line.slice(3))));
console.log("READY");
