/** The behaviours of the client, in one list that every platform runs. */
import type { ClientOptions } from "edgewire/client";
import { closing } from "./cases/closing.ts";
import { dropIn } from "./cases/drop-in.ts";
import { returning } from "./cases/returning.ts";
import { sending } from "./cases/sending.ts";
import { runCase, type Case } from "./kit.ts";

export const cases: readonly Case[] = [...dropIn, ...sending, ...closing, ...returning];

/** Chromium delays handshakes by seconds when more than a dozen are pending (WebSocketPerProcessThrottler). */
const atOnce = 6;

/** Several side by side: what is wrong with each, by its name; "" for nothing. */
export async function runAll(server: string, platform: string, options: ClientOptions = {}): Promise<Record<string, string>> {
  const outcomes: Record<string, string> = {};
  const left = [...cases];
  const work = async (): Promise<void> => {
    for (let one; (one = left.shift());) outcomes[one.name] = await runCase(one, server, platform, options);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return outcomes;
}
