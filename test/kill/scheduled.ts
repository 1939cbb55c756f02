/** Calls are scheduled, and their server is killed again and again while they run: each runs once as far as the file is concerned, and none early. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../fuzz/random.ts";
import { problemsOf } from "./file.ts";
import { Process, type RuntimeName } from "./process.ts";

export interface ScheduledReport {
  readonly runtime: RuntimeName;
  readonly calls: number;
  readonly kills: number;
  /** Calls by how often they ran. */
  readonly ran: Readonly<Record<number, number>>;
  readonly early: number;
  readonly problems: readonly string[];
}

export interface ScheduledOptions {
  readonly runtime: RuntimeName;
  readonly calls: number;
  readonly rooms: number;
  /** Seconds over which the calls are spread. */
  readonly seconds: number;
  readonly seed: number;
}

export async function runScheduled({ runtime, calls, rooms, seconds, seed }: ScheduledOptions): Promise<ScheduledReport> {
  const random = new Random(seed);
  const folder = mkdtempSync(join(tmpdir(), "edgewire-scheduled-"));
  const file = join(folder, "rooms.db");
  const start = (): Process => new Process({ runtime, file, late: false, program: "scheduling.ts" });
  let server = start();
  try {
    const begin = Date.now() + 1500;
    const times = Array.from({ length: calls }, () => begin + random.int(0, seconds * 1000));
    const filled = await fetch(`http://127.0.0.1:${await server.listening}/?rooms=${rooms}`, {
      method: "POST",
      body: JSON.stringify(times),
    });
    if (!filled.ok) throw new Error(`the calls could not be scheduled: ${filled.status}`);
    let kills = 0;
    for (let left = calls; left > 0;) {
      await sleep(random.int(300, 1200));
      // The last retries run in peace.
      if (Date.now() < begin + seconds * 1000) {
        server.kill();
        kills++;
        server = start();
      }
      left = await leftOn(await server.listening, rooms);
    }
    await server.end();
    return { runtime, calls, kills, ...outcomeOf(file, calls), problems: problemsOf(file) };
  } finally {
    await server.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function leftOn(port: number, rooms: number): Promise<number> {
  return (await (await fetch(`http://127.0.0.1:${port}/left?rooms=${rooms}`, { headers: { connection: "close" } })).json()) as number;
}

function outcomeOf(file: string, calls: number): Pick<ScheduledReport, "ran" | "early"> {
  const database = new DatabaseSync(file);
  const values = (prefix: string): Record<string, unknown>[] =>
    database.prepare("SELECT CAST(key AS TEXT) AS key, value FROM value WHERE CAST(key AS TEXT) LIKE ?").all(`value:${prefix} %`);
  const counts = values("ran").map(({ value }) => Number(value));
  const ran: Record<number, number> = { 0: calls - counts.length };
  for (const count of counts) ran[count] = (ran[count] ?? 0) + 1;
  const early = values("early").length;
  database.close();
  return { ran, early };
}
