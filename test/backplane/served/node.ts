/**
 * A node of a room, on any runtime: it joins, publishes text and bytes, hears what all nodes publish, and ends by itself. Prints what it has heard.
 * Arguments: the address of Redis, its name, and how many nodes there are.
 */
import process from "node:process";
import { redis } from "edgewire/redis";
import type { Change, Frame, Turn } from "edgewire/cluster";

const [url = "", name = "", count = "1"] = process.argv.slice(2);
const deadline = setTimeout(() => process.exit(1), 30_000);

const heard: string[] = [];
const all = Promise.withResolvers<void>();
const backplane = redis(url);
const port = backplane.room("across", name, {
  notice: () => {},
  cut: () => {},
  frame({ items }: Frame<Change>) {
    for (const item of items)
      if (item.type === "published") heard.push(typeof item.payload === "string" ? item.payload : item.payload.join());
    if (heard.length === 2 * Number(count)) all.resolve();
  },
});

await port.subscribe();
const joined = await port.join({ life: undefined, newLife: `${name} life`, numbers: new Map() });
if (typeof joined === "string") throw new Error(joined);
console.log("joined");
await new Promise((resolve) => void process.stdin.once("data", resolve));
const publish = (payload: string | Uint8Array<ArrayBuffer>) =>
  ({ type: "publish", kept: [], topics: ["t"], payload, tag: name, time: 1 }) as const;
const turns: Turn[] = [{ steps: [publish(`${name} ü😀\0`)] }, { steps: [publish(Uint8Array.of(0, 255, 128, name.length))] }];
await port.turns({ node: name, life: joined.life, number: 1, after: 0, tag: name, turns });
await all.promise;
await port.leave();
await backplane.close();
console.log(JSON.stringify(heard));
clearTimeout(deadline);
