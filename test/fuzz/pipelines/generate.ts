/** From a seed and a number to what is sent on that connection, in which pieces, and how it ends. */
import type { Served } from "../../support/runtimes.ts";
import { Random } from "../random.ts";
import { groundOf, type Ground } from "./ground.ts";
import {
  framesBehind,
  goodHandshake,
  lostHandshake,
  middlewareHandshake,
  oddHandshake,
  refusedHandshake,
  slowHandshake,
} from "./handshakes.ts";
import { make, type Make } from "./make.ts";
import type { Action, Finale, Plan, Segment } from "./plan.ts";
import { middlewareRequest, noise, oddRequest, plainRequest, strangeRequest } from "./requests.ts";

type Family = (make: Make) => Segment;

const families: readonly (readonly [number, Family])[] = [
  [12, plainRequest],
  [3, oddRequest],
  [2, strangeRequest],
  [1, noise],
  [4, goodHandshake],
  [4, slowHandshake],
  [4, refusedHandshake],
  [1, lostHandshake],
  [6, oddHandshake],
];
/** Of an app. */
const appFamilies: readonly (readonly [number, Family])[] = [...families, [6, middlewareHandshake]];
const pageFamilies: readonly (readonly [number, Family])[] = [...appFamilies, [4, middlewareRequest]];

export function generate(runtime: Served, listeners: readonly string[], seed: number, number: number, tag: string): Plan {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
  // TLS costs both sides ten times as much, and changes little.
  const on = random.weighted(listeners.map((name) => [name === "tls" ? 1 : 6, name] as const));
  const segments = makeSegments(random, groundOf(runtime, on), tag, number);
  const bytes = Buffer.concat(segments.map((segment) => segment.bytes));
  const finale = pickFinale(random, segments);
  const sent = finale !== "hold" && random.chance(0.15) ? random.int(0, bytes.length) : bytes.length;
  return { number, on, segments, sent, actions: cut(random, segments, bytes.subarray(0, sent)), finale };
}

function makeSegments(random: Random, ground: Ground, tag: string, number: number): Segment[] {
  const segments: Segment[] = [];
  const add = (family: Family): Segment => {
    const segment = family(make(random, ground, tag, number, segments));
    segments.push(segment);
    return segment;
  };
  for (let count = random.int(1, 5); count > 0; count--) {
    const segment = add(random.weighted(ground.http === "app" ? pageFamilies : ground.app ? appFamilies : families));
    if (segment.type === "handshake" && random.chance(0.4)) add(framesBehind);
  }
  return segments;
}

function pickFinale(random: Random, segments: readonly Segment[]): Finale {
  // Only one who leaves sees the end of these.
  if (segments.some(({ fate }) => fate === "endless")) return random.pick(["reset", "fin"]);
  return random.weighted([
    [60, "settle"],
    [15, "reset"],
    [15, "fin"],
    [4, "hold"],
  ]);
}

/** In one piece, in a piece for each segment, or cut anywhere, with pauses in between and before the end. */
function cut(random: Random, segments: readonly Segment[], bytes: Buffer): Action[] {
  const cuts = new Set<number>();
  const how = random.int(0, 3);
  let at = 0;
  for (const segment of segments) {
    at += segment.bytes.length;
    if (how === 1 || (how === 2 && random.chance(0.5))) cuts.add(at);
  }
  if (how >= 2) for (let count = random.int(1, 6); count > 0; count--) cuts.add(random.int(1, Math.max(1, bytes.length)));
  const actions: Action[] = [];
  const pause = (): void => {
    if (random.chance(0.5)) actions.push({ type: "wait", milliseconds: random.int(0, random.chance(0.1) ? 100 : 15) });
    else if (random.chance(0.1)) actions.push({ type: "heard" });
  };
  const deaf = random.chance(0.07);
  if (deaf) actions.push({ type: "deafen" });
  let from = 0;
  for (const to of [...cuts]
    .filter((one) => one < bytes.length)
    .sort((a, b) => a - b)
    .concat(bytes.length)) {
    if (to > from) actions.push({ type: "write", bytes: bytes.subarray(from, to) });
    from = to;
    pause();
  }
  if (deaf) actions.push({ type: "wait", milliseconds: random.int(0, 100) }, { type: "hear" });
  return actions;
}
