/** What must become of a plan, as far as that is known before it is carried out. */
import type { Answers } from "./answers.ts";
import type { Ground } from "./ground.ts";
import { peerOf, sentWhole, type Plan, type Segment } from "./plan.ts";

export interface Expectation {
  /** How many segments were sent at least to their first byte. */
  readonly begun: number;
  /** So many leading segments must be answered as they say. */
  readonly sure: number;
  /** So many must be answered, or the connection ended. */
  readonly waits: number;
  /** Something that a server may complain of is among what was sent. */
  readonly spoilt: boolean;
  /** Something may be sent to a connection that the server has ended by right, which TCP answers with a reset. */
  readonly mayReset: boolean;
  /** After the client's FIN the server has to end it. */
  readonly endsAfterFin: boolean;
  /** Whether the connection must be ended after these answers. */
  mustEnd(answers: Answers): boolean;
  behind(handshake: number): Behind;
}

/** What is behind an accepted handshake. */
export interface Behind {
  /** The messages that the server may send, in this order. */
  readonly texts: readonly string[];
  /** So many of them it must, unless it has to fail. */
  readonly owed: number;
  /** Something that is no frame is behind it. */
  readonly fails: boolean;
  /** And the server ends the connection for it. */
  readonly failureEnds: boolean;
  /** The last frame is not all there. */
  readonly half: boolean;
  /** The client sent a close frame. */
  readonly closes: boolean;
}

export function expectationOf(plan: Plan, ground: Ground): Expectation {
  const { segments } = plan;
  const whole = sentWhole(plan);
  const bytes = segments.slice(0, whole).reduce((sum, segment) => sum + segment.bytes.length, 0);
  const begun = whole + (plan.sent > bytes ? 1 : 0);
  const sent = segments.slice(0, begun);
  // What is behind a handshake Node reads no more, accepted or not; elsewhere the frames behind a refused one are no request.
  const cuts = ({ closes, method }: Segment, index: number): boolean => method === "CONNECT" || (closes && index < begun - 1);
  const spoilt =
    begun > whole ||
    sent.some(({ blurs, type }) => blurs && (type === "noise" || !ground.has("complainsFirst"))) ||
    (ground.has("complainsFirst") && sent.some(cuts));
  const entangled = sent.slice(0, -1).some(({ type }) => type === "handshake");
  const { sure, waits } = chain(plan, ground, whole, begun, spoilt);
  return {
    begun,
    sure,
    waits,
    spoilt,
    mayReset:
      spoilt ||
      sent.some(({ mayClose }) => mayClose) ||
      sent
        .slice(0, -1)
        .some(
          ({ type, fate, closes, slow }) => type === "handshake" || fate !== "whole" || closes || (slow && ground.has("dropsPipelined")),
        ),
    endsAfterFin:
      !(ground.runtime === "deno" && sent.some(({ type }) => type === "handshake")) &&
      !sent.some(({ fate }) => fate === "endless") &&
      !(ground.has("waitsForFrame") && entangled),
    mustEnd({ last, closed }) {
      // Whose request is not all there may be waited for.
      if (last?.complete !== true || last.index >= whole) return false;
      return closed || (segments[last.index]!.closes && segments[last.index]!.type === "request");
    },
    behind(handshake) {
      const behind = segments.slice(handshake + 1, begun);
      const other = behind.findIndex(({ type }) => type !== "frames");
      // Nobody can tell whose 101 it is, and where the frames behind it begin.
      const blurred = segments.slice(0, handshake).some(({ blurs }) => blurs);
      const frames = other < 0 ? behind : behind.slice(0, other);
      const complete = frames.slice(0, Math.max(0, whole - handshake - 1));
      const close = complete.some(({ closes }) => closes);
      // What begins as a request is no frame, once there is enough of it.
      const fails = !close && other >= 0 && (handshake + 1 + other < whole || ground.has("waitsForFrame"));
      return {
        owed: blurred ? 0 : 1 + complete.flatMap(({ texts }) => texts).length,
        texts: [`hello ${peerOf(plan.number, handshake)}`, ...frames.flatMap(({ texts }) => texts)],
        fails,
        // What comes while the handshake is pending may be lost, and the rest be too short for a frame's head.
        failureEnds: !ground.has("waitsForFrame") && !(segments[handshake]!.slow && ground.has("dropsPipelined")),
        half: complete.length < frames.length || (other >= 0 && !fails),
        closes: close,
      };
    },
  };
}

/** The leading segments of which something is known. */
function chain(plan: Plan, ground: Ground, whole: number, begun: number, spoilt: boolean): { sure: number; waits: number } {
  const { segments } = plan;
  // Deno gives up requests of a client that half-closes.
  const lost = ground.runtime === "deno" && plan.finale === "fin";
  let sure = lost || (spoilt && ground.has("complainsFirst")) ? 0 : undefined;
  let pending = false;
  for (let index = 0; index < whole; index++) {
    const segment = segments[index]!;
    const { type, fate, closes } = segment;
    if (type === "noise" || type === "frames" || fate === "endless" || fate === "garbled") return { sure: sure ?? index, waits: index };
    const last = index === begun - 1;
    if (ground.has("dropsPipelined") && segment.slow && !last) sure ??= index;
    if (fate !== "whole") sure ??= index;
    if (type === "handshake") {
      if (pending) sure ??= index;
      return { sure: sure ?? index + 1, waits: index + 1 };
    }
    if (closes || fate === "broken") return { sure: sure ?? index + 1, waits: index + 1 };
    pending = true;
  }
  return { sure: sure ?? whole, waits: whole };
}
