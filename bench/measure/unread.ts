/**
 * `node bench/measure/unread.ts --runtime durable --mebibytes 640`: measures how much a server buffers for a client that does not read, and how long
 * another client waits for its answer meanwhile.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { handshake, type Client } from "../../test/support/client.ts";
import { Watch } from "../../test/fuzz/watch.ts";
import { Running, processRuntimes, type ProcessRuntime } from "../../test/support/runtimes.ts";

const { values } = parseArgs({
  options: { runtime: { type: "string", default: "durable" }, mebibytes: { type: "string", default: "640" } },
});
const runtime = values.runtime as ProcessRuntime;
if (!processRuntimes.includes(runtime)) throw new Error(`--runtime ${runtime}: must be one of ${processRuntimes.join(", ")}`);
const patience = 30_000;
/** MiB sent in each step, in messages of 256 KiB. */
const step = 16;

const running = await Running.start(runtime);
const { port } = running.address("main")!;
const connect = (): Promise<Client> => {
  return handshake(
    { port },
    { target: `/?${new URLSearchParams({ tag: "unread", peer: "1", room: "unread", message: "run" })}` },
    patience,
  );
};
const [good, deaf] = [await connect(), await connect()];
const watch = new Watch(port, false);
const before = watch.memory;
const grown = (): string => `${(watch.memory - before).toFixed(0)} MiB more`;
deaf.pause();
for (let sent = step; sent <= Number(values.mebibytes); sent += step) {
  deaf.send(JSON.stringify([["flood", step * 4, 2 ** 18]]));
  const done = (): true | undefined =>
    running.log.entries.filter(({ did }) => did === "flood").length >= sent / step || closed() > 0 ? true : undefined;
  await running.log.until("what was sent", done, patience);
  if (sent % 128 === 0 || closed() > 0) console.log(`${runtime}: sent ${sent} MiB, ${grown()}, another's answer in ${await answer()} ms`);
  if (closed() > 0) break;
}
deaf.reset();
await sleep(3000);
console.log(`${runtime}: 3 s after the client has reset, ${grown()}`);
await running.stop();
process.exit();

function closed(): number {
  return running.log.entries.filter(({ hook }) => hook === "close").length;
}

async function answer(): Promise<string> {
  const start = performance.now();
  good.send(JSON.stringify([["send", "here"]]));
  await good.next();
  return (performance.now() - start).toFixed(1);
}
