/** What a column can't do, for the platform limits of test/support/limits.ts: what of a sequence it can't play, and what of a trace it can't show. */
import { runtimeOf, type Column } from "../support/case.ts";
import type { Trace } from "./trace.ts";

export interface Abilities {
  /** P2, P11: a plain Worker has no topics, rooms or peers. */
  readonly rooms: boolean;
  /** P8: `terminate` cuts TCP. A Durable Object and Deno send a close frame instead. */
  readonly cuts: boolean;
  /**
   * After our own close TCP ends. A Durable Object's stays open while its client has sent no message, on bare workerd too
   * (2026-10: `acceptWebSocket`, then `close` by a timer; the client's answer is followed by no FIN until an eviction).
   */
  readonly ends: boolean;
}

export const everything: Abilities = { rooms: true, cuts: true, ends: true };

export function abilitiesOf(column: Column): Abilities {
  const { runtime } = runtimeOf(column);
  const object = runtime === "durable" || runtime === "evicted";
  return { rooms: runtime !== "workers", cuts: !object && runtime !== "deno", ends: !object };
}

/** The model's trace without what the column can't show its clients; what hooks are told is never left out. */
export function visible(trace: Trace, can: Abilities): Trace {
  const cut = new Set<number>();
  const heard = new Set<number>();
  return trace.map((step) => ({
    ...step,
    views: step.views.map(({ received, hooks }, client) => {
      if (!can.cuts && hooks.some((line) => line.startsWith("did terminate"))) cut.add(client);
      if (hooks.some((line) => line.startsWith("hook message"))) heard.add(client);
      const endless = !can.ends && !heard.has(client) && received.some((line) => line.startsWith("close "));
      return { received: cut.has(client) ? [] : endless ? received.filter((line) => line !== "end") : received, hooks };
    }),
  }));
}
