/**
 * Random sequences of what clients and handlers do. In memory they must do what a simpler oracle says; on every real runtime, what
 * they do in memory. `MODEL_SEED` replays a run, `MODEL_RUNS` is how many sequences each column plays.
 */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, test, vi } from "vitest";
import type { Column } from "../support/case.ts";
import { startHost, type Host } from "../support/host.ts";
import { MemoryHost } from "../support/memory.ts";
import { abilitiesOf, everything, visible, type Abilities } from "./abilities.ts";
import { fits, sequences } from "./generate.ts";
import { kept } from "./kept.ts";
import { known, predict } from "./oracle.ts";
import { play } from "./play.ts";
import type { Sequence } from "./sequence.ts";
import { difference, type Trace } from "./trace.ts";

const seed = Number(process.env["MODEL_SEED"] ?? Date.now() % 1_000_000_000);
const runs = Number(process.env["MODEL_RUNS"] ?? 40);
/** What does not come is waited for: long, until something has failed and is being shrunk. */
const [patience, impatience] = [10_000, 1500];
/** Milliseconds that shrinking may take. */
const shrinking = 90_000;
const started = Date.now().toString(36);
let count = 0;

let memory: Host;
beforeAll(() => {
  // In memory the handler's errors are this process's own.
  for (const method of ["warn", "error"] as const) vi.spyOn(console, method).mockImplementation(() => {});
  memory = new MemoryHost();
});
afterAll(() => memory.stop());

const inMemory = (sequence: Sequence, evictAlways = false): Promise<Trace> =>
  play(memory, sequence, { name: "memory", tag: `m${started}-${++count}`, wait: patience, evictAlways });

describe("the in-process runtime does what lists of members and topics say", () => {
  property("memory", everything, 10 * runs, async (sequence) => {
    const found = difference(predict(sequence), known(await inMemory(sequence)), ["oracle", "memory"]);
    if (found !== undefined) throw new Error(found);
  });

  property("memory, hibernating after every action", everything, runs, async (sequence) => {
    const found = difference(await inMemory(sequence), await inMemory(sequence, true), ["memory", "hibernating"]);
    if (found !== undefined) throw new Error(found);
  });
});

for (const column of ["node", "bun", "deno", "workers", "durable", "evicted", "node+sqlite", "bun+sqlite", "deno+sqlite"] as const) {
  describe(`${column} does what the in-process runtime does`, () => {
    let host: Host;
    beforeAll(async () => {
      host = await startHost(column);
    });
    afterAll(() => host?.stop());

    const can = abilitiesOf(column);
    property(column, can, runs, async (sequence, wait) => {
      const model = visible(await inMemory(sequence), can);
      host = await revive(host, column);
      await play(host, sequence, { name: column, tag: `p${started}-${++count}`, model, wait, evictAlways: column === "evicted" });
    });
  });
}

/** A test of the kept sequences, then of random ones. */
function property(name: string, can: Abilities, numRuns: number, holds: (sequence: Sequence, wait: number) => Promise<void>): void {
  for (const { why, sequence } of kept.filter((one) => fits(one.sequence, can))) {
    test(`${name}, kept: ${why}`, () => holds(sequence, patience));
  }
  test(`${name}, random sequences`, { timeout: 600_000 }, async () => {
    let actions = 0;
    let failed: { at: number; message: string } | undefined;
    const run = async (sequence: Sequence): Promise<void> => {
      if (failed !== undefined && Date.now() - failed.at > shrinking) return;
      if (failed === undefined) actions += sequence.actions.length;
      try {
        await holds(sequence, failed === undefined ? patience : impatience);
      } catch (error) {
        failed = { at: failed?.at ?? Date.now(), message: (error as Error).message };
        throw error;
      }
    };
    const result = await fc.check(fc.asyncProperty(sequences(can), run), { seed, numRuns });
    if (result.failed) {
      throw new Error(
        `${failed?.message}\n\nMODEL_SEED=${seed} (sequence ${result.numRuns}, ${result.numShrinks} times smaller). For test/model/kept.ts:\n` +
          `  { why: "", sequence: ${source(result.counterexample?.[0])} },`,
      );
    }
    console.log(`model ${name}: ${result.numRuns} sequences, ${actions} actions, MODEL_SEED=${seed}`);
  });
}

/** JSON that can be pasted, its long strings short. */
function source(sequence: Sequence | undefined): string {
  return JSON.stringify(sequence).replaceAll(/"(.)\1{49,}"/gu, (all, letter: string) => `"${letter}".repeat(${all.length - 2})`);
}

/** A process that died failed its own sequence; the next one gets a new process. */
async function revive(host: Host, column: Column): Promise<Host> {
  try {
    host.assertAlive();
    return host;
  } catch {
    return startHost(column);
  }
}
