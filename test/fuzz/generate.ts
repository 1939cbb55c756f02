/** From a seed and a number to what that connection does. */
import type { Listener } from "../support/runtimes.ts";
import { Build, type Family } from "./build.ts";
import { frameFamilies } from "./framed.ts";
import type { Plan } from "./plan.ts";
import { Random } from "./random.ts";
import { requestFamilies } from "./requests.ts";

const families: readonly (readonly [number, string, Family])[] = [...requestFamilies, ...frameFamilies];

export function generate(seed: number, number: number, tag: string, listeners: readonly Listener[]): Plan {
  // Neighbouring seeds of mulberry32 are unlike each other, but seed 1 and number 2 must not be seed 2 and number 1.
  const build = new Build(new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b)), number, tag, listeners);
  const [name, family] = build.random.weighted(families.map(([weight, ...rest]) => [weight, rest] as const));
  family(build);
  const { on, answersClose, broken, actions, frames } = build;
  return { number, family: name, on, answersClose, broken, actions, frames };
}
