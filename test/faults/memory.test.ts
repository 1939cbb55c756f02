/**
 * An object of ours over a fake workerd in which everything fails that can: storage, alarms, attachments, waitUntil. It is evicted and killed
 * between any two turns. `FAULTS_SEED` replays a run, `FAULTS_RUNS` is how many there are.
 */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Random } from "../fuzz/random.ts";
import { checkAlarm, checkHooks, idsOf, keptOf } from "./check.ts";
import { places, type Look } from "./handler.ts";
import { actionsOf, type Action } from "./plan.ts";
import { Room, type Client } from "./room.ts";
import { FakeTime } from "./time.ts";
import { installGlobals } from "./workerd.ts";

const runs = Number(process.env["FAULTS_RUNS"] ?? 300);
const first = Number(process.env["FAULTS_SEED"] ?? 1);
const pace = { longest: 20_000, failures: 3, kills: true };

const time = new FakeTime();
let room: Room;
let uninstall = (): void => {};
beforeAll(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  time.install();
  uninstall = installGlobals(() => room.faults);
});
afterAll(() => {
  uninstall();
  time.uninstall();
  vi.restoreAllMocks();
});

const there = (): Client[] => room.clients.filter((client) => !client.gone && client.ws.closed === undefined);

async function act(action: Action): Promise<void> {
  const who = "who" in action ? there()[action.who % Math.max(there().length, 1)] : undefined;
  if ("who" in action && who === undefined) return;
  switch (action.do) {
    case "connect":
      await room.connect(action.opening);
      return;
    case "tell":
      return void room.tell(who!, action.steps);
    case "ping":
      return room.ping(who!);
    case "leave":
      return room.leave(who!, 1000);
    case "lose":
      return room.lose(who!);
    case "deafen":
      who!.answers = false;
      return;
    case "break":
      return room.faults.arm(action.fault);
    case "plan":
      room.alarmPlan = action.alarm;
      return;
    case "evict":
      return room.evict(action.forced);
    case "kill":
      return room.kill();
    case "pass":
      return room.pass(action.milliseconds);
  }
}

/** Everything works again, and time passes: nothing may be left over. */
async function settle(): Promise<void> {
  const { wrong, log, object } = room;
  room.faults.clear();
  room.alarmPlan = { fail: 0, sleep: 0, next: undefined };
  if (room.forced) await room.call("count");
  await room.pass(200_000);
  // Nothing but the object's own alarm has woken it.
  wrong.push(...checkAlarm(log, time.now - 100_000));
  // Whoever is there is one connection, in one state, with what it was last told to keep.
  const answers = there().map((client) => ({ client, nr: room.tell(client, [["look"]]) }));
  await room.pass(1000);
  const closed = new Set(idsOf(log, "close"));
  const open = idsOf(log, "open").filter((id) => !closed.has(id) && !room.killed.has(id));
  if (open.length !== answers.length) wrong.push(`${answers.length} clients are there, and ${open.length} connections are open`);
  const seen: Look[] = [];
  for (const { client, nr } of answers) {
    const [look] = room.answer(client, nr) ?? [];
    if (look === undefined || typeof look !== "object") wrong.push(`client ${client.number} is open and gets no answer: ${String(look)}`);
    else seen.push(look as Look);
  }
  const count = await room.call("count");
  if (count !== answers.length) wrong.push(`${answers.length} clients are there, and the room counts ${String(count)}`);
  for (const { id, value, topics, here } of seen) {
    const kept = keptOf(log, id);
    if (value !== kept.value || topics.join() !== [...kept.topics].sort().join()) wrong.push(`${id} has ${value} and ${topics.join()}`);
    if (kept.member !== undefined && !here.includes(kept.member)) wrong.push(`${kept.member} is not present`);
    if (!open.includes(id)) wrong.push(`${id} answers and is not open`);
  }
  // Everyone leaves.
  for (const client of room.clients) room.leave(client, 1000);
  await room.pass(200_000);
  await room.call("count");
  await room.pass(200_000);
  const ended = idsOf(log, "close");
  for (const id of idsOf(log, "open")) if (!ended.includes(id) && !room.killed.has(id)) wrong.push(`the close hook of ${id} never ran`);
  const hooks = log.flatMap(({ hook }) => (hook?.startsWith("room.") === true ? [hook] : []));
  // Not promised where everything ended at once.
  if (room.kills === 0 && hooks.length > 0 && hooks.at(-1) !== "room.empty") wrong.push(`the room is not empty: ${hooks.join(" ")}`);
  const empty = await room.call("count");
  if (empty !== 0) wrong.push(`nobody is there, and the room counts ${String(empty)}`);
  if (object.alarm !== null || time.pending > 0) wrong.push(`an alarm (${String(object.alarm)}) or a timer (${time.pending}) is left`);
  if (!room.isIdle) wrong.push("something never ends");
  // Every place is free again.
  const opening = { client: -1, letters: 10, expires: undefined };
  for (let place = 0; place < places; place++) if ((await room.connect(opening)) === undefined) wrong.push(`place ${place} is taken`);
  if ((await room.connect(opening)) !== undefined) wrong.push("there is a place too many");
  for (const client of room.clients) room.leave(client, 1000);
  await room.pass(30_000);
  // The rows of a room that is made again without connections.
  await room.evict();
  await room.call("count");
  if (object.rows.size > 0) wrong.push(`rows are left: ${[...object.rows.keys()].join(", ")}`);
}

async function run(seed: number): Promise<number> {
  time.clear();
  room = new Room(time);
  for (const action of actionsOf(new Random(seed), 40, pace)) await act(action);
  await settle();
  room.wrong.push(...time.thrown.splice(0), ...checkHooks(room.log), ...checkAlarm(room.log, time.now));
  return room.faults.count;
}

test(
  `whatever fails, each connection is in one state, its close hook runs once, alarms come, and nothing is stuck`,
  { timeout: 120_000 },
  async () => {
    let faults = 0;
    for (let seed = first; seed < first + runs; seed++) {
      faults += await run(seed);
      expect(room.wrong, `FAULTS_SEED=${seed} FAULTS_RUNS=1`).toEqual([]);
    }
    console.log(`faults in memory: ${runs} runs, ${faults} faults`);
    expect(faults).toBeGreaterThan(runs === 1 ? -1 : 2 * runs);
  },
);
