/** What a segment is made with. */
import type { Random } from "../random.ts";
import type { Ground } from "./ground.ts";
import type { Segment } from "./plan.ts";

export interface Make {
  readonly random: Random;
  readonly ground: Ground;
  readonly tag: string;
  /** The connection's, and the segment's on it. */
  readonly number: number;
  readonly index: number;
  readonly id: string;
  /** Something before it blurs: whose answer is whose is uncertain, and so none may be without a body. */
  readonly uncertain: boolean;
  segment(fields: Partial<Segment> & Pick<Segment, "what" | "type" | "bytes" | "fate">): Segment;
}

export function make(random: Random, ground: Ground, tag: string, number: number, before: readonly Segment[]): Make {
  const index = before.length;
  const uncertain = before.some(({ blurs }) => blurs);
  const id = `${number}.${index}`;
  const defaults = {
    method: "GET",
    id,
    statuses: undefined,
    body: undefined,
    sent: undefined,
    mayClose: false,
    closes: false,
    blurs: false,
    slow: false,
    texts: [],
  };
  return { random, ground, tag, number, index, id, uncertain, segment: (fields) => ({ ...defaults, ...fields }) };
}
