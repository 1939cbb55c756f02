/** What a seed makes a room go through. */
import type { Random } from "../fuzz/random.ts";
import { faulty, type Fault } from "./faults.ts";
import type { AlarmPlan, Opening, Step } from "./handler.ts";

export type Action =
  | { readonly do: "connect"; readonly opening: Opening }
  /** `who` picks one of those that are there. */
  | { readonly do: "tell"; readonly who: number; readonly steps: readonly Step[] }
  | { readonly do: "ping" | "leave" | "lose" | "deafen"; readonly who: number }
  | { readonly do: "break"; readonly fault: Fault }
  | { readonly do: "plan"; readonly alarm: AlarmPlan }
  | { readonly do: "evict"; readonly forced: boolean }
  | { readonly do: "kill" }
  | { readonly do: "pass"; readonly milliseconds: number };

export interface Pace {
  /** Milliseconds that pass at most between two actions. */
  readonly longest: number;
  /** Runs of an alarm that fail. */
  readonly failures: number;
  /** Whether the object may be killed. */
  readonly kills: boolean;
}

export function actionsOf(random: Random, count: number, pace: Pace): Action[] {
  let clients = 0;
  const connect = (): Action => ({
    do: "connect",
    opening: {
      client: clients++,
      letters: random.chance(0.4) ? 20_000 : 10,
      expires: random.chance(0.2) ? random.int(500, pace.longest) : undefined,
    },
  });
  const who = (): number => random.int(0, 9);
  const actions = [connect(), connect()];
  while (actions.length < count) {
    actions.push(
      random.weighted<() => Action>([
        [3, connect],
        [8, () => ({ do: "tell", who: who(), steps: Array.from({ length: random.int(1, 3) }, () => step(random, pace)) })],
        [2, () => ({ do: "ping", who: who() })],
        [2, () => ({ do: "leave", who: who() })],
        [1, () => ({ do: "lose", who: who() })],
        [1, () => ({ do: "deafen", who: who() })],
        [8, () => ({ do: "break", fault: fault(random) })],
        [1, () => ({ do: "plan", alarm: alarmPlan(random, pace) })],
        [3, () => ({ do: "evict", forced: random.chance(0.3) })],
        [pace.kills ? 1 : 0, () => ({ do: "kill" })],
        [5, () => ({ do: "pass", milliseconds: random.int(0, random.chance(0.3) ? pace.longest : 200) })],
      ])(),
    );
  }
  return actions;
}

/** A snapshot that can't be stored is stored without its state: one attempt fails. */
function fault(random: Random): Fault {
  const what = random.pick(faulty);
  return { what, skip: random.int(0, 2), times: what === "serializeAttachment" ? 1 : random.int(1, 3) };
}

function alarmPlan(random: Random, { failures, longest }: Pace): AlarmPlan {
  return {
    fail: random.chance(0.5) ? random.int(0, failures) : 0,
    sleep: random.chance(0.3) ? random.int(1, longest / 2) : 0,
    next: random.chance(0.3) ? random.int(0, longest / 2) : undefined,
  };
}

function step(random: Random, { longest }: Pace): Step {
  const topic = random.pick(["a", "b", "c"]);
  return random.weighted<() => Step>([
    [4, () => ["setState", random.int(1, 1_000_000), random.chance(0.4) ? 20_000 : 10]],
    [2, () => ["subscribe", topic]],
    [1, () => ["unsubscribe", topic]],
    [2, () => ["present", random.pick(["ada", "grace"])]],
    [1, () => ["absent"]],
    [1, () => ["renew", random.chance(0.5) ? null : random.int(500, longest)]],
    [3, () => ["setAlarm", random.chance(0.1) ? null : random.int(-100, longest)]],
    [1, () => ["sleep", random.int(1, 300)]],
    [1, () => ["close", 4000]],
    [1, () => ["terminate"]],
    [1, () => ["throw"]],
    [2, () => ["look"]],
  ])();
}
