/** A result that was read from a file, as a table for a terminal. */
import { table } from "../cli/table.ts";
import type { LapeFeature, LapeResult } from "../lape/lape_json.ts";
import { byLayer } from "./identification_table.ts";

const COLUMNS = ["language", "features", "by layer", "first", "entropy", "p", "max activation"];
const NUMERIC = new Set(["features", "entropy", "p", "max activation"]);

/**
 * Per language how many features there are and in which layers, and the first `top` of them, lowest
 * entropy first; then the total. A language's further features follow it line by line.
 *
 * @param shown positions of the languages to list, in order
 */
export function lapeListing(result: LapeResult, shown: readonly number[], top: number): string {
  const rows = shown.flatMap((g) => {
    const features = result.features[g];
    const first = features.toSorted((a, b) => a.entropy - b.entropy).slice(0, top).map(cells);
    const [begin = ["", "", "", ""], ...rest] = first;
    return [
      [result.languages[g], String(features.length), byLayer(features), ...begin],
      ...rest.map((feature) => ["", "", "", ...feature]),
    ];
  });
  const lines = table(
    COLUMNS.map((header) => ({
      header,
      align: NUMERIC.has(header) ? "right" : "left",
      maxWidth: 48,
    })),
    rows,
  );
  return `${lines}\n\n${total(shown.map((g) => result.features[g]))}`;
}

function cells({ layer, index, entropy, probability, globalMax }: LapeFeature): string[] {
  const numbers = [entropy, probability, globalMax].map((value) => value.toFixed(3));
  return [`L${layer}/${index}`, ...numbers];
}

function total(lists: readonly (readonly LapeFeature[])[]): string {
  const owned = lists.reduce((sum, list) => sum + list.length, 0);
  const distinct = new Set(lists.flat().map(({ layer, index }) => `${layer}/${index}`)).size;
  const places = owned > distinct ? ` (${owned} times in all)` : "";
  return `${counted(distinct, "feature")} in ${counted(lists.length, "language")}${places}.`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
