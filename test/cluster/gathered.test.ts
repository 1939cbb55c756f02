/** What a node gathers goes to the backplane as turns, and a hook's is one. */
import { expect, test } from "vitest";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { Gathered } from "../../src/cluster/rooms/gathered.ts";
import type { Condition, Step, Turn } from "../../src/cluster/turns.ts";

const release: Step = { type: "release", session: "s", offset: 1 };
const send: Step = { type: "send", session: "s", payload: "answer", tag: "1" };
const condition: Condition = { type: "message", session: "s", number: 1 };

function scene(): { readonly gathered: Gathered; readonly turns: Turn[] } {
  const turns: Turn[] = [];
  const cluster = { pending: 0, check() {}, turn: (turn: Turn) => void turns.push(turn) };
  return { gathered: new Gathered(cluster as unknown as Cluster, () => {}), turns };
}

test("what was done before a hook in the same turn does not cut the hook's in two", async () => {
  const { gathered, turns } = scene();
  gathered.add(release);
  gathered.flush();
  gathered.running.add({});
  gathered.add(send);
  // An asynchronous hook ends some microtasks later.
  await Promise.resolve().then(() => {});
  gathered.flush(condition);
  await new Promise(setImmediate);
  expect(turns).toEqual([{ steps: [release] }, { condition, steps: [send] }]);
});

test("what is gathered goes when the turn is over, each time", async () => {
  const { gathered, turns } = scene();
  gathered.add(release);
  await new Promise(setImmediate);
  gathered.add(send);
  gathered.drop();
  gathered.add(send);
  await new Promise(setImmediate);
  expect(turns).toEqual([{ steps: [release] }, { steps: [send] }]);
});
