/** Carries out a plan on one connection, and says what came of it. */
import { setTimeout as sleep } from "node:timers/promises";
import { closePayload, encodeFrame, Opcode } from "../../wire/frames.ts";
import type { Address } from "../../support/client.ts";
import { Answers, type Answer } from "./answers.ts";
import { expectationOf, type Expectation } from "./expectation.ts";
import type { Ground } from "./ground.ts";
import { peerOf, type Action, type Plan } from "./plan.ts";
import { judge } from "./verdict.ts";
import { Wire } from "./wire.ts";

export interface Outcome {
  readonly answers: number;
  /** Handshakes, by their number in the log. */
  readonly accepted: readonly number[];
  readonly refused: readonly number[];
  readonly messages: number;
}

/** How long an answer may take, on a busy machine: the server's own deadlines are a second. */
export const patience = 30_000;
/** Within which the server ends what it has to end. */
const endPatience = 15_000;
/** How long a platform is given for what it may never do. */
const shortPatience = 300;

/** @throws for what must not be. */
export async function attack(plan: Plan, ground: Ground, address: Address): Promise<Outcome> {
  const expectation = expectationOf(plan, ground);
  const answers = new Answers(plan.segments.slice(0, expectation.begun), expectation.spoilt, ground);
  const wire = await Wire.open(address, answers);
  try {
    for (const action of plan.actions) await perform(action, wire);
    const told = await end(plan, expectation, wire, answers);
    judge(plan, ground, expectation, answers, { ...told, ended: wire.ended });
  } finally {
    wire.cut();
  }
  return outcomeOf(plan, ground, answers);
}

async function perform(action: Action, wire: Wire): Promise<void> {
  if (action.type === "write") wire.write(action.bytes);
  else if (action.type === "deafen") wire.pause();
  else if (action.type === "hear") wire.resume();
  else if (action.type === "heard") await wire.until(() => wire.received > 0 || wire.ended !== undefined, shortPatience);
  else if (action.type === "wait") await sleep(action.milliseconds);
}

export interface Told {
  /** The client left before the server had answered everything. */
  readonly left: boolean;
  /** What did not happen in time. */
  readonly missed: string | undefined;
}

async function end(plan: Plan, expectation: Expectation, wire: Wire, answers: Answers): Promise<Told> {
  const { finale } = plan;
  if (finale === "reset") {
    // What came until then must still be right.
    wire.cut();
    return { left: true, missed: undefined };
  }
  if (finale === "fin") {
    wire.finish();
    return { left: true, missed: await ended(wire, expectation.endsAfterFin ? patience : shortPatience, expectation.endsAfterFin) };
  }
  const over = (): boolean => answers.problem !== undefined || wire.ended !== undefined || answers.closed;
  const settled = await wire.until(() => over() || answers.switched !== undefined || answered(answers) >= expectation.waits, patience);
  if (!settled) return { left: false, missed: `no answer to segment ${answered(answers)}` };
  if (answers.problem !== undefined) return { left: false, missed: undefined };
  if (answers.switched !== undefined) return { left: false, missed: await leaveWebSocket(expectation, wire, answers) };
  // An answer that closes the connection is followed by its end, however long the client stays.
  if (!expectation.mustEnd(answers) && wire.ended === undefined) {
    wire.finish();
    return { left: false, missed: await ended(wire, expectation.endsAfterFin ? patience : shortPatience, expectation.endsAfterFin) };
  }
  const missed = await ended(wire, endPatience, true);
  if (missed !== undefined || finale !== "hold") return { left: false, missed };
  return { left: false, missed: await holdOpen(wire) };
}

/** How many leading segments are answered. */
function answered(answers: Answers): number {
  const last = answers.last;
  return last === undefined ? 0 : last.complete ? last.index + 1 : last.index;
}

async function ended(wire: Wire, wait: number, must: boolean): Promise<string | undefined> {
  wire.resume();
  const met = await wire.until(() => wire.ended !== undefined, wait);
  return met || !must ? undefined : `the server did not end it within ${wait} ms`;
}

/** The server has ended its half: what it is sent then must not keep the connection. */
async function holdOpen(wire: Wire): Promise<string | undefined> {
  const deadline = Date.now() + endPatience;
  while (!wire.gone && Date.now() < deadline) {
    wire.write(Buffer.from("x"));
    await sleep(100);
  }
  return wire.gone ? undefined : `the server kept a client that goes on sending for ${endPatience} ms`;
}

async function leaveWebSocket(expectation: Expectation, wire: Wire, answers: Answers): Promise<string | undefined> {
  const { owed, fails, half, closes, failureEnds } = expectation.behind(answers.switched!.index);
  const over = (): boolean => answers.problem !== undefined || wire.ended !== undefined || answers.switched?.close !== undefined;
  const met = await wire.until(
    () => over() || (!fails && answers.switched!.texts.length >= owed),
    fails && !failureEnds ? shortPatience : patience,
  );
  if (!met && fails && !failureEnds) return undefined;
  if (!met)
    return `the server sent ${answers.switched!.texts.length} of ${owed} messages${fails ? ", and did not end what is no frame" : ""}`;
  if (answers.problem !== undefined) return undefined;
  if (half) wire.finish();
  else if (answers.switched?.close === undefined && !closes) {
    wire.write(encodeFrame({ opcode: Opcode.close, payload: closePayload(1000) }));
  }
  return ended(wire, fails && !failureEnds ? shortPatience : patience, !fails || failureEnds);
}

function outcomeOf(plan: Plan, ground: Ground, answers: Answers): Outcome {
  // Behind what blurs, nobody can tell whose answer it was.
  const clear = plan.segments.findIndex(({ type, blurs }) => blurs && type !== "frames");
  const known = ({ index }: Answer): boolean => plan.segments[index]!.type === "handshake" && (clear < 0 || index < clear);
  const handshakes = answers.list.filter(known);
  // A handshake is accepted at once where an app is served bare, and opened, whatever the app makes of it then.
  const certain = ({ index }: Answer): boolean => ground.edgewire || plan.segments[index]!.fate === "whole";
  const peers = (accepted: boolean): number[] =>
    handshakes
      .filter((answer) => (answer.status === 101) === accepted && (accepted || certain(answer)))
      .map(({ index }) => peerOf(plan.number, index));
  return { answers: answers.list.length, accepted: peers(true), refused: peers(false), messages: answers.switched?.texts.length ?? 0 };
}
