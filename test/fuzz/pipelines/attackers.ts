/** Attackers who pipeline requests, handshakes and frames, and an application that answers with what no type allows. */
import { Running, type Listener, type Served } from "../../support/runtimes.ts";
import type { Attack, Attackers } from "../attackers.ts";
import { attack } from "./attack.ts";
import { checkPlaces, checkStreams } from "./finish.ts";
import { generate } from "./generate.ts";
import { groundOf } from "./ground.ts";
import { keptDescriptors, losesClose } from "./limits.ts";
import { describe, peersEach, type Plan } from "./plan.ts";

/** The listeners of test/fuzz/app; each runtime has some of them. */
const listeners = ["main", "plain", "few", "pathed", "app", "bare", "tls"];

export function pipelines(runtime: Served, seed: number): Attackers {
  const tag = `pipelines-${seed}`;
  return {
    tag,
    start: () => Running.start(runtime, { folder: "fuzz/app" }),
    numberOf: (peer) => Math.floor(peer / peersEach),
    plan(number, running) {
      const names = listeners.filter((name) => running.address(name as Listener) !== undefined);
      return attackOf(generate(runtime, names, seed, number, tag), runtime, running);
    },
    async finish(running) {
      await checkPlaces(running, tag);
      await checkStreams(running);
    },
  };
}

function attackOf(plan: Plan, runtime: Served, running: Running): Attack {
  return {
    description: describe(plan),
    losesClose: losesClose(runtime, plan),
    keptDescriptors: keptDescriptors(runtime, plan),
    async run() {
      try {
        const { accepted, refused, messages } = await attack(plan, groundOf(runtime, plan.on), running.address(plan.on as Listener)!);
        const reset = plan.finale === "reset";
        return { accepted, refused, frames: messages, actions: plan.actions.length, reset };
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${describe(plan)}`, { cause: error });
      }
    },
  };
}
