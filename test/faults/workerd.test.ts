/** The same faults in real objects, side by side, evicted and killed while they are under way. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Random } from "../fuzz/random.ts";
import { checkAlarm, checkHooks, idsOf, keptOf } from "./check.ts";
import type { Look } from "./handler.ts";
import { Place, RealRoom, type RealClient } from "./place.ts";
import { actionsOf, type Action } from "./plan.ts";

const runs = Number(process.env["FAULTS_ROOMS"] ?? 30);
const first = Number(process.env["FAULTS_SEED"] ?? Date.now() % 1_000_000);
const pace = { longest: 1500, failures: 1, kills: true };
/** Milliseconds for what has to come. */
const patience = { timeout: 25_000, interval: 200 };

let place: Place;
beforeAll(async () => {
  place = await Place.start();
});
afterAll(() => place?.stop());

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function act(room: RealRoom, action: Action): Promise<unknown> {
  const there = room.clients.filter((client) => client.isOpen);
  const who = "who" in action ? there[action.who % Math.max(there.length, 1)] : undefined;
  if ("who" in action && who === undefined) return;
  switch (action.do) {
    case "connect":
      return room.connect(action.opening);
    case "tell":
      return room.tell(who!, action.steps);
    case "ping":
      return room.ping(who!);
    case "leave":
      return who!.leave();
    case "lose":
      return who!.lose();
    // ws answers each close.
    case "deafen":
      return;
    case "break":
      return room.ask("break", action.fault);
    case "plan":
      return room.ask("plan", action.alarm);
    case "evict":
      // It waits for hooks and timers, up to 30 s, while others may act.
      return Promise.race([room.evict(), pause(1000)]);
    case "kill":
      return room.kill();
    case "pass":
      return pause(action.milliseconds / 2);
  }
}

/** What is wrong with who is there: each answers, with what it was last told to keep. */
function wrongWith(room: RealRoom, asked: readonly { client: RealClient; nr: number }[]): string[] {
  const { log } = room;
  const looks = asked.filter(({ client }) => client.isOpen).map(({ client, nr }) => client.answer(nr)?.[0] as Look | string | undefined);
  return looks.flatMap((look) => {
    if (typeof look !== "object") return [`an open client gets no answer: ${String(look)}`];
    const kept = keptOf(log, look.id);
    const wrong: string[] = [];
    if (look.value !== kept.value || look.topics.join() !== [...kept.topics].sort().join()) wrong.push(`it has ${JSON.stringify(look)}`);
    if (kept.member !== undefined && !look.here.includes(kept.member)) wrong.push(`${kept.member} is not present`);
    return wrong;
  });
}

async function run(seed: number): Promise<number> {
  const room = new RealRoom(place, `seed-${seed}`);
  for (const action of actionsOf(new Random(seed), 30, pace)) await act(room, action);
  const faults = (await room.ask("calm")) as number;
  const say = `FAULTS_SEED=${seed} FAULTS_ROOMS=1`;
  // What a life that was evicted or killed was about to try again comes once something wakes the object.
  await room.ask("count");
  await expect.poll(() => checkAlarm(room.log, Date.now() - 1000), { ...patience, message: say }).toEqual([]);
  const asked = room.clients.filter((client) => client.isOpen).map((client) => ({ client, nr: room.tell(client, [["look"]]) }));
  await expect.poll(() => wrongWith(room, asked), { ...patience, message: say }).toEqual([]);
  for (const client of room.clients) client.leave();
  const unclosed = (): string[] => {
    const { log } = room;
    const closed = idsOf(log, "close");
    return idsOf(log, "open").filter((id) => !closed.includes(id) && !room.killed.has(id));
  };
  await expect.poll(unclosed, { ...patience, message: `${say}: open, and nobody is there` }).toEqual([]);
  await expect.poll(() => room.ask("count"), { ...patience, message: say }).toBe(0);
  const lastHook = (): unknown => room.log.findLast(({ hook }) => hook?.startsWith("room."))?.hook ?? "room.empty";
  if (room.kills === 0) await expect.poll(lastHook, { ...patience, message: say }).toBe("room.empty");
  await expect.poll(() => checkAlarm(room.log, Date.now()), { ...patience, message: say }).toEqual([]);
  await room.evict();
  await expect.poll(() => room.ask("rows"), { ...patience, message: say }).toEqual([]);
  expect(checkHooks(room.log), say).toEqual([]);
  return faults;
}

test(
  "whatever fails, each connection is in one state, its close hook runs once, alarms come, and nothing is stuck",
  { timeout: 180_000 },
  async () => {
    const faults = await Promise.all(Array.from({ length: runs }, (_, index) => run(first + index)));
    const all = faults.reduce((sum, count) => sum + count, 0);
    console.log(`faults in workerd: ${runs} rooms, ${all} faults, FAULTS_SEED=${first}`);
    expect(all).toBeGreaterThan(runs === 1 ? -1 : runs);
  },
);

test(
  "an object that is killed while its alarm's hook runs, long after the alarm's event, runs it again though nothing wakes it",
  { timeout: 60_000 },
  async () => {
    const room = new RealRoom(place, "killed");
    await room.ask("plan", { fail: 0, sleep: 4000 });
    await room.connect({ client: 0, letters: 0, expires: undefined });
    room.tell(room.clients[0]!, [["setAlarm", 50]]);
    const retries = (): unknown[] => room.log.flatMap(({ hook, retryCount }) => (hook === "alarm" ? [retryCount] : []));
    await expect.poll(retries, patience).toEqual([0]);
    await pause(2500);
    await room.ask("plan", { fail: 0, sleep: 0 });
    await room.kill();
    await expect.poll(retries, patience).toEqual([0, 1]);
    await expect.poll(() => room.log.some(({ did }) => did === "alarm"), patience).toBe(true);
  },
);

test("an alarm whose hook runs when the whole process ends runs again when it is started again", { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "edgewire-alarm-"));
  let before: Place | undefined;
  let after: Place | undefined;
  try {
    before = await Place.start(folder);
    const room = new RealRoom(before, "restarted");
    await room.ask("plan", { fail: 0, sleep: 30_000 });
    await room.connect({ client: 0, letters: 0, expires: undefined });
    room.tell(room.clients[0]!, [["setAlarm", 50]]);
    await expect.poll(() => room.log.map(({ hook }) => hook), patience).toContain("alarm");
    await before.stop();
    before = undefined;
    after = await Place.start(folder);
    const again = new RealRoom(after, "restarted");
    await expect.poll(() => again.log.some(({ did }) => did === "alarm"), patience).toBe(true);
    expect(again.log.find(({ hook }) => hook === "alarm")).toMatchObject({ retryCount: 1 });
  } finally {
    await before?.stop();
    await after?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
