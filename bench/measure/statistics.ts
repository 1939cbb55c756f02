/** Medians and their spread. Means would be distorted by other load on the machine. */
export interface Spread {
  readonly low: number;
  readonly median: number;
  readonly high: number;
  /** The 95 % confidence interval of the median; undefined if another program has computed the other values. */
  readonly from?: number;
  readonly to?: number;
}

/** Computes the median, the quartiles and the confidence interval. */
export function spread(values: readonly number[]): Spread {
  return { low: quantile(values, 0.25), median: median(values), high: quantile(values, 0.75), ...certainty(values) };
}

/** From the ranks of the values, independent of their distribution (binomial, approximated as normal: 1.96 standard deviations). */
function certainty(values: readonly number[]): Required<Pick<Spread, "from" | "to">> {
  const sorted = values.toSorted((a, b) => a - b);
  const half = 0.98 * Math.sqrt(sorted.length);
  const at = (rank: number): number => sorted[Math.min(Math.max(rank, 1), sorted.length) - 1]!;
  return { from: at(Math.round(sorted.length / 2 - half)), to: at(Math.round(sorted.length / 2 + 1 + half)) };
}

/** The slope of a least-squares line. */
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
