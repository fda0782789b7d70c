/** Small bars in tables. */
import { h } from "preact";

/** A share of a whole as a bar, with its interval as a line. Told to nobody: the number stands beside. */
export function Bar(
  { share, interval }: {
    /** From 0 to 1. */
    readonly share: number;
    readonly interval?: readonly [low: number, high: number] | null;
  },
) {
  const at = (value: number) => (100 * Math.min(1, Math.max(0, value))).toFixed(2);
  return h(
    "svg",
    { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    h("rect", { class: "filled", width: at(share), height: 10 }),
    interval && h("line", {
      class: "whisker",
      ...{ x1: at(interval[0]), x2: at(interval[1]), y1: 5, y2: 5 },
    }),
  );
}

/** Counts in equal intervals as columns, their heights by the logarithm: rare strong ones are seen too. */
export function Columns(
  { counts, most, title }: {
    readonly counts: readonly number[];
    /** Count of a full column. */
    readonly most: number;
    readonly title: string;
  },
) {
  const full = Math.log1p(most);
  return h(
    "svg",
    {
      class: "columns",
      viewBox: `0 0 ${counts.length} 10`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": title,
    },
    h("title", null, title),
    counts.map((count, i) => {
      if (count === 0) return null;
      const height = Math.max(0.8, 10 * Math.log1p(count) / full);
      return h("rect", {
        ...{ x: i + 0.08, y: (10 - height).toFixed(2), width: 0.84, height: height.toFixed(2) },
      });
    }),
  );
}
