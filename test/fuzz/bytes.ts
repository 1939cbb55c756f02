/** Attackers who send random bytes, spoilt handshakes and broken frames. */
import { handlerNames } from "../support/handler.ts";
import { Running, type ProcessRuntime } from "../support/runtimes.ts";
import { attack } from "./attack.ts";
import type { Attackers, Done } from "./attackers.ts";
import { generate } from "./generate.ts";
import { isLimit, keptDescriptors, losesClose } from "./limits.ts";
import { describePlan, type Plan } from "./plan.ts";

export function bytes(runtime: ProcessRuntime, seed: number): Attackers {
  const tag = `fuzz-${seed}`;
  return {
    tag,
    start: () => Running.start(runtime),
    numberOf: (peer) => peer,
    plan(number, running) {
      const listeners = [...handlerNames, "tls" as const].filter((name) => running.address(name) !== undefined);
      const plan = generate(seed, number, tag, listeners);
      return {
        description: describePlan(plan),
        losesClose: losesClose(runtime, plan),
        keptDescriptors: keptDescriptors(runtime, plan),
        run: () => run(runtime, plan, running),
      };
    },
  };
}

async function run(runtime: ProcessRuntime, plan: Plan, running: Running): Promise<Done> {
  const address = running.address(plan.on);
  if (address === undefined) throw new Error(`${runtime} has no listener ${plan.on}`);
  const { accepted, left } = await attack(plan, address, (cause) => isLimit(runtime, cause));
  return {
    accepted: accepted && plan.on !== "bare" ? [plan.number] : [],
    refused: [],
    frames: plan.frames,
    actions: plan.actions.length,
    reset: plan.actions.some(({ type }) => type === "reset"),
    left,
  };
}
