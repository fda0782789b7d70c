/** Numbers as the page prints them. */

/** 12288 → "12,288". */
export function countText(count: number): string {
  return count.toLocaleString("en");
}

/** A count with its noun: 1 → "1 layer", 6 → "6 layers". */
export function quantityText(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A measured share: 0.1384 → "13.8 %"; positive values below 0.1 % say so. */
export function percentText(share: number): string {
  if (share > 0 && share < 0.001) return "< 0.1\u00a0%";
  return `${(share * 100).toFixed(1)}\u00a0%`;
}

/** A share that somebody set, as short as it is: 0.98 → "98 %". */
export function rateText(share: number): string {
  return `${Number((share * 100).toPrecision(12))}\u00a0%`;
}

/** Ascending whole numbers, neighbours joined: [0, 1, 2, 5] → "0–2, 5". */
export function rangesText(numbers: readonly number[]): string {
  const starts = numbers.filter((n, at) => numbers[at - 1] !== n - 1);
  const ends = numbers.filter((n, at) => numbers[at + 1] !== n + 1);
  return starts.map((start, at) => start === ends[at] ? `${start}` : `${start}–${ends[at]}`)
    .join(", ");
}

/** A value with a fixed number of decimals; "–" when it is not a number to print. */
export function decimalText(value: number, decimals: number): string {
  return Number.isFinite(value) ? value.toFixed(decimals) : "–";
}
