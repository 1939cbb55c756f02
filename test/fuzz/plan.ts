/** What one connection of the fuzzer does, decided before it starts: so a seed and a number are enough to do it again. */
import type { Listener } from "../support/runtimes.ts";

/** What obliges the server to end a connection. */
export const causes = [
  "reserved bits",
  "reserved opcode",
  "unmasked frame",
  "long control frame",
  "fragmented control frame",
  "continuation of nothing",
  "message inside a message",
  "length over 2^63",
  "length over every limit",
  "message over maxPayload",
  "text that is no UTF-8",
  "close of one byte",
  "close with a bad code",
  "close with a reason that is no UTF-8",
  "client's close",
  "unanswered close",
  "FIN in the handshake",
  "FIN after a spoilt handshake",
  "FIN after the handshake",
  "FIN inside a frame",
  "FIN after a broken frame",
  "FIN while upgrade is pending",
  "FIN after a hook's end",
  "hook's end",
  "hook's end before the first message",
] as const;
export type Cause = (typeof causes)[number];

export type Action =
  | { readonly type: "write"; readonly what: string; readonly bytes: Buffer }
  /** A few bytes at a time. */
  | { readonly type: "drip"; readonly what: string; readonly bytes: Buffer; readonly step: number; readonly every: number }
  /** Reads the response, which must be a 101. */
  | { readonly type: "accepted" }
  /** The server must send this text back, whatever comes before it. */
  | { readonly type: "expect"; readonly text: string }
  /** The server must end TCP. */
  | { readonly type: "ended"; readonly cause: Cause }
  | { readonly type: "wait"; readonly milliseconds: number }
  /** Stops reading. */
  | { readonly type: "deafen" }
  | { readonly type: "fin" }
  | { readonly type: "reset" };

export interface Plan {
  readonly number: number;
  readonly family: string;
  readonly on: Listener;
  /** Whether it answers the server's close frame; where it closes itself there is none to answer. */
  readonly answersClose: boolean;
  /** It sends what no frame may be. */
  readonly broken: boolean;
  readonly actions: readonly Action[];
  /** How many frames it sends, as far as its bytes are frames. */
  readonly frames: number;
}

/** `step`: the action that failed. */
export function describePlan(plan: Plan, step?: number): string {
  const actions = plan.actions.map((action, index) => `  ${index === step ? ">" : " "} ${describeAction(action)}`);
  const about = `${plan.family}, on ${plan.on}${plan.answersClose ? "" : ", answers no close"}`;
  return [`connection ${plan.number} (${about})`, ...actions].join("\n");
}

function describeAction(action: Action): string {
  switch (action.type) {
    case "write":
    case "drip":
      return `${action.type} ${action.what} (${action.bytes.length} bytes): ${JSON.stringify(action.bytes.subarray(0, 300).toString("latin1"))}`;
    case "expect":
      return `expect ${action.text}`;
    case "ended":
      return `wait for the server to end it: ${action.cause}`;
    case "wait":
      return `wait ${action.milliseconds} ms`;
    default:
      return action.type;
  }
}
