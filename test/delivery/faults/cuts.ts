/** Returns through a proxy that cuts at any byte. */
import { Cutter } from "../python/cutter.ts";
import { run, type Result } from "./round.ts";

const clients = 8;
/** Returns of a round: its room keeps all of its messages. */
const perRound = 500;
/** Bytes that a connection carries in a direction: some are cut in their handshake, some after many messages. */
const mean = 2500;

export interface Returns {
  returns: number;
  rounds: number;
  messages: number;
  gaps: number;
  /** Attempts that were cut count, too. */
  cuts: number;
  readonly faults: string[];
}

/** @param port of the server. */
export async function returnsThroughCuts(port: number, returns: number, seed: number, progress?: (so: Returns) => void): Promise<Returns> {
  const sum: Returns = { returns: 0, rounds: 0, messages: 0, gaps: 0, cuts: 0, faults: [] };
  while (sum.returns < returns) {
    const result = await round(port, Math.min(perRound, returns - sum.returns), seed + sum.rounds, sum);
    sum.rounds++;
    sum.returns += result.returns;
    sum.messages += result.messages;
    sum.gaps += result.gaps;
    for (const fault of result.faults) sum.faults.push(`seed ${result.seed}: ${fault}`);
    progress?.(sum);
    if (result.returns === 0) break;
  }
  return sum;
}

async function round(port: number, returns: number, seed: number, sum: Returns): Promise<Result> {
  await using cutter = await Cutter.to(port, seed, mean);
  const result = await run({
    port: () => cutter.port,
    server: () => port,
    room: `cuts-${seed}`,
    seed,
    clients,
    returns,
    calm: () => (cutter.calm = true),
  });
  sum.cuts += cutter.cuts;
  return result;
}
