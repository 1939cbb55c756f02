/** An object is aborted, evicted, and deployed anew, while clients go on. */
import type { Objects } from "./objects.ts";
import { run, type Result, type Round } from "./round.ts";

const happenings = ["abort", "evict", "deploy"] as const;
export type Counts = Record<(typeof happenings)[number], number>;

export interface DisturbPlan extends Counts {
  readonly seed: number;
  readonly clients?: number;
}

/** Messages of all clients between two of them, at most. */
const between = 60;

export async function disturbances(objects: Objects, { seed, clients = 6, ...counts }: DisturbPlan): Promise<Result & Counts> {
  const room = `disturbed-${seed}`;
  const left: Counts = { ...counts };
  const happen = async (round: Round): Promise<void> => {
    const what = round.random.weighted(happenings.map((one) => [left[one], one] as const));
    left[what]--;
    if (what === "deploy") await objects.deploy();
    else if (what === "abort") await objects.abort(room);
    // It comes between events: with a load that never ends there is no moment for it.
    else await round.paused(() => objects.evict(room));
  };
  const result = await run({
    port: () => objects.port,
    server: () => objects.port,
    room,
    seed,
    clients,
    options: { heartbeat: 200, heartbeatTimeout: 1000 },
    async faults(round) {
      while (happenings.some((one) => left[one] > 0)) {
        const messages = round.messages + round.random.int(1, between);
        await round.until("more messages", () => round.messages >= messages);
        await happen(round);
      }
    },
  });
  return { ...result, ...counts };
}
