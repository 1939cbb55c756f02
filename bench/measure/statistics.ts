/** Medians and their spread: a mean would follow whatever else the machine did. */
export interface Spread {
  readonly low: number;
  readonly median: number;
  readonly high: number;
  /** Between these the median of many more such rounds lies, 19 times in 20; not there where another program has computed the rest. */
  readonly from?: number;
  readonly to?: number;
}

/** The median, the quartiles beside it, and how well it is known. */
export function spread(values: readonly number[]): Spread {
  return { low: quantile(values, 0.25), median: median(values), high: quantile(values, 0.75), ...certainty(values) };
}

/** By the ranks that half of all values lie below, whatever their distribution (the binomial's, as a normal one: 1.96 standard deviations). */
function certainty(values: readonly number[]): Required<Pick<Spread, "from" | "to">> {
  const sorted = values.toSorted((a, b) => a - b);
  const half = 0.98 * Math.sqrt(sorted.length);
  const at = (rank: number): number => sorted[Math.min(Math.max(rank, 1), sorted.length) - 1]!;
  return { from: at(Math.round(sorted.length / 2 - half)), to: at(Math.round(sorted.length / 2 + 1 + half)) };
}

/** Of the line that is nearest to all points, by the squares of their distances. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const middle = (of: 0 | 1): number => points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [x, y] = [middle(0), middle(1)];
  const over = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return over / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], at: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * at;
  const low = Math.floor(place);
  return sorted[low]! + (sorted[Math.ceil(place)]! - sorted[low]!) * (place - low);
}
