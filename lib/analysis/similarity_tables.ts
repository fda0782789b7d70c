/** Similarities as tables: a matrix per language and score, one long table, and a listing. */
import { join } from "node:path";
import { table } from "../cli/table.ts";
import { writeAtomic } from "../data/files.ts";
import { writeTable } from "../data/tables.ts";
import type { LanguageSimilarity } from "./language_similarity.ts";
import { nameOf } from "./located_features.ts";
import type { PairSimilarity } from "./similarity.ts";

/** Scores that there is a matrix of. */
const SCORES = ["iou", "pearson"] as const;

/**
 * Writes `<score>/<Language>.csv`, features by features in the order of (layer, index), and
 * `pairs.csv` and `pairs.parquet` with every two features once. An undefined correlation is empty.
 */
export async function writeSimilarities(
  folder: string,
  languages: readonly LanguageSimilarity[],
): Promise<void> {
  for (const similarity of languages) {
    for (const score of SCORES) {
      const path = join(folder, score, `${similarity.language}.csv`);
      await writeAtomic(path, matrixCsv(similarity, score));
    }
  }
  const rows = languages.flatMap((similarity) =>
    distinctPairs(similarity).map((pair) => ({ ...pair, language: similarity.language }))
  );
  await writeTable(join(folder, "pairs"), {
    language: rows.map(({ language }) => language),
    layer_a: rows.map(({ a }) => a.layer),
    index_a: rows.map(({ a }) => a.index),
    layer_b: rows.map(({ b }) => b.layer),
    index_b: rows.map(({ b }) => b.index),
    both: rows.map(({ both }) => both),
    either: rows.map(({ either }) => either),
    iou: rows.map(({ iou }) => iou),
    pearson: rows.map(({ pearson }) => Number.isNaN(pearson) ? null : pearson),
  });
}

function matrixCsv({ features, pairs }: LanguageSimilarity, score: keyof PairSimilarity): string {
  const names = features.map(nameOf);
  const cell = (i: number, j: number) => {
    const value = pairs[Math.min(i, j)][Math.abs(i - j)][score];
    return Number.isNaN(value) ? "" : String(value);
  };
  const lines = names.map((name, i) => [name, ...names.map((_, j) => cell(i, j))]);
  return [["feature", ...names], ...lines].map((line) => `${line.join()}\n`).join("");
}

/** Every two different features. */
function distinctPairs({ features, pairs }: LanguageSimilarity) {
  return features.flatMap((a, i) =>
    features.slice(i + 1).map((b, j) => ({ a, b, ...pairs[i][j + 1] }))
  );
}

/**
 * Per language the mean IoU of its pairs and the `top` pairs of the highest.
 */
export function similarityListing(languages: readonly LanguageSimilarity[], top: number): string {
  const columns = ["language", "features", "mean IoU", "most alike", "IoU", "Pearson r"];
  const rows = languages.flatMap((similarity) => {
    const pairs = distinctPairs(similarity);
    const mean = pairs.reduce((sum, { iou }) => sum + iou, 0) / pairs.length;
    const cells = pairs.toSorted((a, b) => b.iou - a.iou).slice(0, top).map((pair) => [
      `${nameOf(pair.a)} ${nameOf(pair.b)}`,
      pair.iou.toFixed(3),
      Number.isNaN(pair.pearson) ? "–" : pair.pearson.toFixed(3),
    ]);
    const { language, features } = similarity;
    const [first = ["", "", ""], ...rest] = cells;
    return [
      [language, String(features.length), pairs.length ? mean.toFixed(3) : "–", ...first],
      ...rest.map((cells) => ["", "", "", ...cells]),
    ];
  });
  return table(
    columns.map((header, i) => ({ header, align: [0, 3].includes(i) ? "left" : "right" })),
    rows,
  );
}
