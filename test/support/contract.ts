/**
 * The suite: runs every case of docs/maintainers/contract.md on every runtime, as a black box, with real processes. test/columns/ has a file or two for each run; vitest
 * runs them in parallel, because cases mostly wait. Each result is stored in the test's meta, from which table.ts creates the page's table.
 */
import { format } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { isInRun, runs, runtimeOf, type Case, type Column } from "./case.ts";
import { patience } from "./client.ts";
import { Context } from "./context.ts";
import { chapters } from "../contract/index.ts";
import { startHost, type Host } from "./host.ts";
import { limits, ofCluster, type Limit, type LimitId } from "./limits.ts";
import { MemoryHost } from "./memory.ts";

declare module "vitest" {
  interface TaskMeta {
    contract?: { id: string; run: string; limit?: LimitId };
  }
}

/** Milliseconds that a case waits if it is expected to fail. */
const shortPatience = 1500;
const stamp = Date.now().toString(36);
/** Of cases that have begun: each has rooms and lines of the log of its own, also where it runs again. */
let begun = 0;
const held = new Map<LimitId, string[]>();

/** `name`: of one of `runs`. `half`: every other case, for a run that takes longer than the others. */
export function contract(name: string, half?: 0 | 1): void {
  const { column, date } = runs.find((run) => run.name === name)!;
  describe(name, () => {
    let host: Host;
    beforeAll(async () => {
      const started = await startHost(column, date);
      host = started;
      if (!(started instanceof MemoryHost)) return;
      // What the handler prints is printed by this process; elsewhere it goes to the server's own output.
      for (const method of ["log", "warn", "error"] as const)
        vi.spyOn(console, method).mockImplementation((...printed) => void started.output.push(...format(...printed).split("\n")));
    });
    afterAll(async () => {
      vi.restoreAllMocks();
      await host?.stop();
    });

    for (const { letter, title, cases } of chapters) {
      if (!isInRun({ column, date }, letter)) continue;
      describe(`${letter}. ${title}`, () => {
        for (const one of cases.filter((_, index) => half === undefined || index % 2 === half)) {
          test(`${one.id} ${one.statement}`, async ({ task }) => {
            const limit = limitOf(one, column, date);
            task.meta.contract = { id: one.id, run: name, ...(limit === undefined ? {} : { limit }) };
            host = await revive(host, column, date);
            // Cases search the log at every line: for what earlier ones wrote it would be the most that they do.
            host.log.entries.length = 0;
            const tag = `${stamp}${(++begun).toString(36).padStart(3, "0")}-${name.replace(" ", "-")}-${one.id}`;
            const t = new Context(host, column, tag, limit === undefined ? patience : shortPatience);
            if (limit === undefined) await runCase(one, t);
            else await expectLimit(one, t, limit);
          });
        }
      });
    }
  });

  afterAll(() => {
    const lines = [...held].map(([id, cases]) => `  ${id} (${cases.join(", ")}): ${limits[id].why}\n      ${limits[id].evidence}`);
    if (lines.length > 0) console.log(`Platform limits that were met:\n${lines.sort().join("\n")}`);
  });
}

/** The limit of a case, if it applies at this run's compatibility date. */
function limitOf(one: Case, column: Column, date: string): LimitId | undefined {
  const id =
    one.limits?.[column] ?? (column === "memory+cluster" ? ofCluster[one.id] : undefined) ?? one.limits?.[runtimeOf(column).runtime];
  if (id === undefined) return undefined;
  const { since = "", until = "9" } = limits[id] as Limit;
  return since <= date && date < until ? id : undefined;
}

async function runCase(one: Case, t: Context): Promise<void> {
  try {
    await one.run(t);
    await t.finish();
  } catch (error) {
    t.abandon();
    // If the process has died, report that instead of the case's error.
    t.assertAlive();
    throw error;
  }
}

async function expectLimit(one: Case, t: Context, limit: LimitId): Promise<void> {
  const failure = await runCase(one, t).then(
    () => undefined,
    (error: Error) => error,
  );
  t.assertAlive();
  if (failure === undefined && (limits[limit] as Limit).sometimes === true) return;
  if (failure === undefined) throw new Error(`limit ${limit} no longer holds for ${one.id} on ${t.column}: delete it`);
  // Includes errors of steps from the log: the case's own error may only be a consequence.
  const seen = [failure.message, ...t.entries().flatMap((entry) => ("threw" in entry ? [String(entry["message"])] : []))].join("\n");
  expect(seen, `${one.id} fails in another way than limit ${limit} says`).toMatch(limits[limit].shows);
  held.set(limit, [...(held.get(limit) ?? []), `${one.id} ${t.column}`]);
}

/** Starts a new process if an earlier case ended the last one. */
async function revive(host: Host, column: Column, date: string): Promise<Host> {
  try {
    host.assertAlive();
    return host;
  } catch {
    return startHost(column, date);
  }
}
