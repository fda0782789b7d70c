/** Where features fire in a data set. */
import type { Reader } from "../interpret/activations.ts";
import { findFirings } from "../interpret/firings.ts";
import type { Target } from "../sae/target.ts";
import type { LocatedFeature } from "./located_features.ts";
import type { Occurrences } from "./similarity.ts";

/**
 * Runs the texts of a data set through a model and notes where features fire (> 0).
 *
 * @param targets that the features live at
 * @param read told the tokens of each text that is done
 * @returns in the order of the features
 */
export async function findOccurrences(
  reader: Reader,
  targets: readonly Target[],
  features: readonly LocatedFeature[],
  texts: readonly { readonly ids: Uint32Array }[],
  read: (tokens: number) => void,
): Promise<Occurrences[]> {
  const firings = await findFirings(reader, targets, features, texts, read);
  const starts = [0];
  for (const { ids } of texts) starts.push(starts[starts.length - 1] + ids.length);
  return features.map(({ layer, index }) => {
    const own = firings.get(layer, index) ?? [];
    return {
      positions: own.map(({ text, token }) => starts[text] + token),
      values: own.map(({ activation }) => activation),
    };
  });
}
