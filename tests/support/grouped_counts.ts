/** Counts with groups of documents, small enough to write down in a test. */
import type { Counts } from "../../lib/formats/counts.ts";
import { smallCounts } from "./small_counts.ts";

/** One group of documents. */
export interface SmallGroup {
  readonly tokens: number;
  /** Tokens on which each unit of layer 0 fired. */
  readonly fired: readonly number[];
}

/** Counts of layer 0 whose groups are these; every group is one example. */
export function groupedCounts(groups: readonly SmallGroup[]): Counts {
  const units = groups[0].fired.length;
  const entries = groups.map(({ fired }) =>
    [...fired.entries()].filter(([, count]) => count > 0) as [number, number][]
  );
  const offsets = [0];
  for (const list of entries) offsets.push(offsets[offsets.length - 1] + list.length);
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  return {
    ...smallCounts({
      examples: groups.length,
      tokens: total(groups.map(({ tokens }) => tokens)),
      firedTokens: Array.from({ length: units }, (_, u) => total(groups.map((g) => g.fired[u]))),
      firedExamples: Array.from(
        { length: units },
        (_, u) => groups.filter(({ fired }) => fired[u] > 0).length,
      ),
    }),
    documents: {
      labels: groups.map((_, g) => `texts:${String(g).padStart(3, "0")}`),
      tokens: Uint32Array.from(groups, ({ tokens }) => tokens),
      offsets: Uint32Array.from(offsets),
      units: Uint32Array.from(entries.flat(), ([unit]) => unit),
      firedTokens: Uint32Array.from(entries.flat(), ([, fired]) => fired),
    },
  };
}
