/** An identification as a table for a terminal. */
import { table } from "../cli/table.ts";
import type { FeatureMap, Firing } from "../interpret/firings.ts";
import { type Sample, topTokens } from "../interpret/samples.ts";
import { type Certainty, findingsBelow } from "../lape/certainty.ts";
import type { Identification } from "../lape/identification.ts";
import { strongest } from "./identification_page.ts";
import { countText } from "./numbers.ts";
import { visibleText } from "./visible_text.ts";

const TOKENS = 6;
const MOST_FALSE = 0.05;

/**
 * One line per language: how many features, in which layers, and the strongest of them with the
 * tokens it fires on; then the total, and how many are more than chance.
 */
export function identificationTable(
  identification: Identification,
  samples: readonly Sample[],
  firings: FeatureMap<Firing[]>,
  certainty?: Certainty,
): string {
  const { languages, features } = identification;
  const columns = ["language", "features", "by layer", "strongest", "entropy", "p", "fires on"];
  const numeric = new Set(["features", "entropy", "p"]);
  const rows = languages.map((language, g) => {
    const [first] = strongest(features[g], 1);
    const cells = [language, String(features[g].length), byLayer(features[g])];
    if (!first) return [...cells, "", "", "", ""];
    const { layer, index, entropy, probability } = first;
    const tokens = topTokens(firings.get(layer, index) ?? [], samples, language, TOKENS);
    const shown = tokens.map(({ text }) => visibleText(text)).join(" ");
    return [...cells, `L${layer}/${index}`, entropy.toFixed(3), probability.toFixed(3), shown];
  });
  const lines = table(
    columns.map((header) => ({
      header,
      align: numeric.has(header) ? "right" : "left",
      maxWidth: 48,
    })),
    rows,
  );
  return `${lines}\n\n${total(identification)}${certain(identification, certainty)}`;
}

function certain(identification: Identification, certainty?: Certainty): string {
  if (!certainty?.test) return "";
  const { groups, features, test } = certainty;
  const found = findingsBelow(MOST_FALSE, identification, features, test);
  return `\n${found.features} of them have q < ${MOST_FALSE}, as have ${
    countText(found.units)
  } of ` +
    `all ${countText(test.tests)} units that fire (languages permuted over ${countText(groups)} ` +
    `groups of documents).`;
}

/** `0:3 2:1` for three features in layer 0 and one in layer 2. */
export function byLayer(features: readonly { readonly layer: number }[]): string {
  const counts = Map.groupBy(features, ({ layer }) => layer);
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([layer, list]) => `${layer}:${list.length}`)
    .join(" ");
}

function total({ languages, features, candidates }: Identification): string {
  const owned = features.reduce((sum, list) => sum + list.length, 0);
  const distinct = new Set(features.flat().map(({ layer, index }) => `${layer}/${index}`)).size;
  const places = owned > distinct ? ` (${owned} times in all)` : "";
  return `${distinct} features of ${candidates.length} candidates belong to ` +
    `${languages.length} languages${places}.`;
}
