/** Clients whose network is gone: no FIN, no reset, nothing; and the same server's others. */
import { afterAll, expect, inject, test } from "vitest";
import { processRuntimes } from "../support/runtimes.ts";
import { pingText } from "../../src/protocol/text-ping.ts";
import { Network } from "./network.ts";
import { hears, listener, pinger, Scene, Talk, unwatched } from "./scene.ts";

const missing = inject("noNetwork");
const network = missing === "" ? new Network() : undefined;
afterAll(() => network?.remove());

const gone = { code: 1006, reason: "", initiator: "network" };

test.for(processRuntimes)("%s: a client that is cut off", async (runtime, { skip }) => {
  skip(network === undefined, missing);
  await using scene = await Scene.start(runtime, network!);
  const { away } = scene;
  const [beside, talker] = [await scene.neighbour(), await scene.neighbour()];
  const talk = new Talk(talker);
  network!.cut();

  expect(await scene.closing(pinger)).toEqual(gone);
  if (runtime === "workers" || runtime === "durable") {
    // It never proved that it lives, and is not judged: when the network is back so is it.
    network!.mend();
    away.say(listener, "still there");
    await away.sees(listener, { type: "text", data: "still there" });
  } else {
    // The server pings, and this one could not answer either.
    expect(await scene.closing(listener)).toEqual(gone);
    network!.mend();
  }
  away.say(unwatched, "still there");
  await away.sees(unwatched, { type: "text", data: "still there" });

  await talk.stop();
  beside.send("beside");
  await hears(beside, "beside");
  const closed = scene.entries.filter(({ hook }) => hook === "close").map(({ peer }) => peer);
  expect(closed.toSorted()).toEqual(runtime === "workers" || runtime === "durable" ? [pinger] : [pinger, listener]);
});

test("durable: an object that hibernates is woken by its alarm, finds the client that is cut off, and no other", async ({ skip }) => {
  skip(network === undefined, missing);
  await using scene = await Scene.start("durable", network!);
  const beside = await scene.neighbour();
  network!.cut();
  const before = scene.entries.length;
  expect(await scene.evict(), "the object was not in memory").toBe(true);
  // Answered by workerd: it wakes nobody.
  const pings = setInterval(() => beside.send(pingText), 100);
  expect(await scene.closing(pinger)).toEqual(gone);
  clearInterval(pings);
  network!.mend();
  // Nobody came and nobody said anything: nothing but its alarm can have woken the object.
  expect(scene.entries.slice(before).map(({ hook, done, peer }) => [hook ?? done, peer])).toEqual([
    ["close", pinger],
    ["close", pinger],
  ]);
  beside.send("beside");
  await hears(beside, "beside");
});
