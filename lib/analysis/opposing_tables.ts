/** Opposed features as tables and as a listing. */
import { join } from "node:path";
import { table } from "../cli/table.ts";
import { writeTable } from "../data/tables.ts";
import type { Tokenizer } from "../formats/tokenizer.ts";
import { nameOf } from "./located_features.ts";
import type { OpposedFeature, OpposedFeatures } from "./opposing_features.ts";
import { tokenAsText } from "./top_tokens.ts";

/**
 * Writes `sae_bias_similarity`, `sae_opposing_features` (a line per language and feature) and
 * `sae_opposing_tokens` (a line per feature and token on which it and its opposite fire), each as
 * `.csv` and `.parquet`.
 */
export async function writeOpposing(
  folder: string,
  opposed: OpposedFeatures,
  tokenizer: Tokenizer,
): Promise<void> {
  const rows = byLanguage(opposed);
  const names = {
    language: rows.map(({ language }) => language),
    layer: rows.map(({ layer }) => layer),
    index: rows.map(({ index }) => index),
  };
  await writeTable(join(folder, "sae_bias_similarity"), {
    ...names,
    cosine: rows.map(({ bias }) => Number.isNaN(bias) ? null : bias),
  });
  await writeTable(join(folder, "sae_opposing_features"), {
    ...names,
    opposing_index: rows.map(({ opposing }) => opposing?.index ?? null),
    cosine: rows.map(({ opposing }) => opposing?.cosine ?? null),
    feature_tokens: rows.map(({ featureTokens }) => featureTokens),
    opposing_tokens: rows.map(({ opposingTokens }) => opposingTokens),
    both_tokens: rows.map(bothTokens),
  });
  const tokens = opposed.features.flatMap((feature) =>
    [...feature.both].sort(([a, n], [b, m]) => m - n || a - b)
      .map(([token, count]) => ({ ...feature, token, count }))
  );
  await writeTable(join(folder, "sae_opposing_tokens"), {
    layer: tokens.map(({ layer }) => layer),
    index: tokens.map(({ index }) => index),
    opposing_index: tokens.map(({ opposing }) => opposing?.index ?? null),
    token_id: tokens.map(({ token }) => token),
    token: tokens.map(({ token }) => tokenAsText(tokenizer, token)),
    count: tokens.map(({ count }) => count),
  });
}

/** The `top` features with the most opposed rows, and those most along and against the bias. */
export function opposingListing({ features }: OpposedFeatures, top: number): string {
  const withOpposite = features.filter(({ opposing }) => opposing)
    .toSorted((a, b) => a.opposing!.cosine - b.opposing!.cosine).slice(0, top);
  const byBias = features.filter(({ bias }) => !Number.isNaN(bias))
    .toSorted((a, b) => b.bias - a.bias);
  const extremes = [...byBias.slice(0, top), ...byBias.slice(top).slice(-top)];
  const opposites = lines(
    ["feature", "opposed by", "cosine", "tokens", "tokens of the other", "of both"],
    withOpposite.map((feature) => [
      nameOf(feature),
      nameOf({ layer: feature.layer, index: feature.opposing!.index }),
      feature.opposing!.cosine.toFixed(3),
      ...[feature.featureTokens, feature.opposingTokens, bothTokens(feature)]
        .map((count) => count.toLocaleString("en")),
    ]),
    2,
  );
  const biases = lines(
    ["feature", "cosine with the bias"],
    extremes.map((feature) => [nameOf(feature), feature.bias.toFixed(3)]),
    1,
  );
  return `${opposites}\n\n${biases}`;
}

function lines(headers: readonly string[], rows: readonly string[][], texts: number): string {
  return table(
    headers.map((header, i) => ({ header, align: i < texts ? "left" : "right" })),
    rows,
  );
}

/** A line per language that owns the feature. */
function byLanguage({ languages, features }: OpposedFeatures) {
  const byName = new Map(features.map((feature) => [nameOf(feature), feature]));
  return languages.flatMap(({ language, features }) =>
    features.flatMap((own) => {
      const feature = byName.get(nameOf(own));
      return feature ? [{ ...feature, language }] : [];
    })
  );
}

function bothTokens({ both }: Pick<OpposedFeature, "both">): number {
  return [...both.values()].reduce((sum, count) => sum + count, 0);
}
