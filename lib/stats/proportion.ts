/** Intervals of shares. */
import type { Interval } from "./bootstrap.ts";

/** Standard normal quantile of a two-sided 95 %. */
const Z = 1.959963984540054;

/** 95 % interval of a share, from `hits` of `total` independent trials (Wilson 1927); all of [0, 1] for none. */
export function wilson(hits: number, total: number): Interval {
  if (total === 0) return { low: 0, high: 1 };
  const share = hits / total;
  const scale = 1 + Z * Z / total;
  const middle = (share + Z * Z / (2 * total)) / scale;
  const half = Z * Math.sqrt(share * (1 - share) / total + Z * Z / (4 * total * total)) / scale;
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
