/** Medians and their spread: a mean would follow whatever else the machine did. */
export interface Spread {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/** The median and the quartiles beside it. */
export function spread(values: readonly number[]): Spread {
  return { low: quantile(values, 0.25), median: median(values), high: quantile(values, 0.75) };
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
