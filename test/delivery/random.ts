/** What is drawn from a seeded source. */
export type Random = () => number;

export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

export function pick<T>(random: Random, from: readonly T[]): T | undefined {
  return from[below(random, from.length)];
}
