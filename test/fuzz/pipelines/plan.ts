/** What one connection does, decided before it starts, and what is known of the answers. */

/** What a segment is to the server: a request, a handshake, frames behind a handshake, or what no server needs to understand. */
export type SegmentType = "request" | "handshake" | "frames" | "noise";

/**
 * What becomes of a request. `whole`: one of `statuses`, with the body. `broken`: its body fails, so it must not look complete. `endless`:
 * nobody waits for its end. `any`: an answer, or the connection's end. `garbled`: the application itself lied about its answer's length.
 */
export type Fate = "whole" | "broken" | "endless" | "any" | "garbled";

export interface Segment {
  readonly what: string;
  readonly type: SegmentType;
  readonly bytes: Buffer;
  readonly method: string;
  /** What the answer's header `x-fuzz` says, where the application makes the answer. */
  readonly id: string;
  readonly fate: Fate;
  /** Undefined: any. */
  readonly statuses: readonly number[] | undefined;
  /** Of the application's answer. */
  readonly body: string | undefined;
  /** The length of its own body, which the application must have read. */
  readonly sent: number | undefined;
  /** The server may close the connection behind the answer: the request's body may be unread, or the answer's end be the connection's. */
  readonly mayClose: boolean;
  /** The client asked for the connection's end behind the answer. */
  readonly closes: boolean;
  /** The server may take what follows for a part of it, or a part of it for another request. */
  readonly blurs: boolean;
  /** Its answer takes time: what comes behind it is behind an answer that is pending. */
  readonly slow: boolean;
  /** Of frames: the messages that are echoed. */
  readonly texts: readonly string[];
}

export type Action =
  | { readonly type: "write"; readonly bytes: Buffer }
  | { readonly type: "wait"; readonly milliseconds: number }
  /** Stops reading, and reads again. */
  | { readonly type: "deafen" | "hear" }
  /** Waits for the first byte of an answer. */
  | { readonly type: "heard" };

/**
 * How it ends. `settle`: once everything is answered, politely. `reset`, `fin`: at once; after a FIN the server has to end, too. `hold`: as
 * `settle`, but the client keeps its half open when the server has ended its own, and goes on sending.
 */
export type Finale = "settle" | "reset" | "fin" | "hold";

export interface Plan {
  readonly number: number;
  readonly on: string;
  readonly segments: readonly Segment[];
  /** How many bytes of all segments are sent. */
  readonly sent: number;
  readonly actions: readonly Action[];
  readonly finale: Finale;
}

/** The handshakes of one connection have numbers of their own, in the log. */
export const peersEach = 16;
export const peerOf = (number: number, index: number): number => number * peersEach + index;

/** How many segments were sent to their last byte. */
export function sentWhole(plan: Plan): number {
  let sum = 0;
  let count = 0;
  for (const { bytes } of plan.segments) {
    sum += bytes.length;
    if (sum > plan.sent) break;
    count++;
  }
  return count;
}

export function describe(plan: Plan): string {
  const whole = sentWhole(plan);
  const segments = plan.segments.map(
    ({ what, bytes }, index) =>
      `  ${index < whole ? " " : "-"} ${index}: ${what} (${bytes.length}): ${JSON.stringify(bytes.subarray(0, 400).toString("latin1"))}`,
  );
  const actions = plan.actions.map((action) =>
    action.type === "write" ? String(action.bytes.length) : action.type === "wait" ? `${action.milliseconds} ms` : action.type,
  );
  return [`connection ${plan.number} on ${plan.on}: ${actions.join(", ")}, ${plan.finale}`, ...segments].join("\n");
}
