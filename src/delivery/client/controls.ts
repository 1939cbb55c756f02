/** What a server says is checked as a whole: nothing in it makes the client throw. */
import { parsePosition } from "../../protocol/positions.ts";
import type { Introduction, ServerControl, Welcome } from "../frames.ts";

type Gap = NonNullable<ServerControl["gap"]>;

export function isSession(session: unknown): session is string {
  return typeof session === "string" && /^[\w-]{1,64}$/.test(session);
}

/** Whether every field that is known is of its kind. */
export function isControl({ welcome, log, end, gap, acknowledged = 0, mark = 0, where = true }: ServerControl): boolean {
  return (
    [acknowledged, mark].every(isCount) &&
    where === true &&
    (end === undefined || isCount(end?.n)) &&
    (log === undefined || isIntroduction(Object(log) as Introduction)) &&
    (gap === undefined || isGap(Object(gap) as Gap)) &&
    (welcome === undefined || isWelcome(Object(welcome) as Welcome))
  );
}

function isIntroduction({ n, s = 0, topic = "", at }: Introduction): boolean {
  return [n, s].every(isCount) && typeof topic === "string" && isPosition(at);
}

function isGap({ n, from, why }: Gap): boolean {
  return isCount(n) && isPosition(from) && ["old", "lost"].includes(why);
}

function isWelcome({ session, resumed, acknowledged = 0, received = 0, life, maxInFlight }: Welcome): boolean {
  const areCounts = [acknowledged, received, maxInFlight].every(isCount);
  return isSession(session) && typeof resumed === "boolean" && typeof life === "string" && areCounts && maxInFlight > 0;
}

function isPosition(position: unknown): boolean {
  return typeof position === "string" && parsePosition(position) !== undefined;
}

export function isCount(count: unknown): boolean {
  return Number.isSafeInteger(count) && (count as number) >= 0;
}
