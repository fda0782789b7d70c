/** Figures of what `similarity`, `opposing` and `statistics` found. */
import { join } from "node:path";
import { listFolder } from "../../data/files.ts";
import { isFolder } from "../../data/file_tree.ts";
import { isLanguage, languageOf } from "../../data/languages.ts";
import { readTable } from "../../data/tables.ts";
import { similarityFigures } from "../../figures/feature_similarity.ts";
import { latentCountFigures, type LatentCounts } from "../../figures/feature_statistics.ts";
import type { Figure } from "../../figures/figure.ts";
import { opposingFigure } from "../../figures/opposing_directions.ts";
import { quantile } from "../../stats/bootstrap.ts";
import { rowsOf } from "./result_folder.ts";

const PAIR = ["language", "layer_a", "index_a", "layer_b", "index_b", "iou", "pearson"];
const OPPOSED = ["language", "layer", "index", "cosine", "both_tokens"];

/**
 * Matrices of every language with two or more features.
 *
 * @throws InputError for files that are damaged
 */
export async function featureSimilarityFigures(folder: string): Promise<Figure[]> {
  const rows = await rowsOf(join(folder, "similarity", "pairs.parquet"), PAIR);
  const pairs = rows.map((row) => ({
    language: String(row.language),
    a: { layer: Number(row.layer_a), index: Number(row.index_a) },
    b: { layer: Number(row.layer_b), index: Number(row.index_b) },
    iou: Number(row.iou ?? 0),
    pearson: typeof row.pearson === "number" ? row.pearson : null,
  }));
  return [...Map.groupBy(pairs, ({ language }) => language)]
    .flatMap(([language, own]) => similarityFigures(language, own));
}

/**
 * How strongly features are opposed.
 *
 * @throws InputError for files that are damaged
 */
export async function opposingFigures(folder: string): Promise<Figure[]> {
  const rows = await rowsOf(join(folder, "hfls", "sae_opposing_features.parquet"), OPPOSED);
  const opposed = rows.filter(({ cosine }) => cosine !== null).map((row) => ({
    language: String(row.language),
    layer: Number(row.layer),
    index: Number(row.index),
    cosine: Number(row.cosine),
    bothTokens: Number(row.both_tokens),
  }));
  if (opposed.length === 0) return [];
  return [opposingFigure(opposed, [...new Set(opposed.map(({ language }) => language))].sort())];
}

/**
 * How often the latents of each layer fire in each language, all data sets together.
 *
 * @throws InputError for files that are damaged
 */
export async function activityStatistics(folder: string): Promise<Figure[]> {
  const counts = new Map<string, Map<number, number>>();
  for (const { path, hookpoint, language } of await summaries(join(folder, "statistics"))) {
    const layer = /(?:^|\.)layers\.(\d+)/.exec(hookpoint)?.[1];
    if (layer === undefined) continue;
    const key = JSON.stringify([Number(layer), language]);
    const sums = counts.get(key) ?? new Map<number, number>();
    counts.set(key, sums);
    const { index, count } = await readTable(path, ["index", "count"]);
    index.forEach((latent, i) => {
      sums.set(Number(latent), (sums.get(Number(latent)) ?? 0) + Number(count[i]));
    });
  }
  const boxes = [...counts].map(([key, sums]) => {
    const [layer, language]: [number, string] = JSON.parse(key);
    return boxOf(language, layer, [...sums.values()].filter((count) => count > 0));
  }).filter(({ high }) => Number.isFinite(high));
  const languages = [...new Set(boxes.map(({ language }) => language))].sort();
  return latentCountFigures(boxes, languages);
}

function boxOf(language: string, layer: number, counts: readonly number[]): LatentCounts {
  const sorted = counts.toSorted((a, b) => a - b);
  const [low, q1, median, q3, high] = [0, 0.25, 0.5, 0.75, 1].map((at) => quantile(sorted, at));
  return {
    ...{ language, layer, low, q1, median, q3, high },
    rare: sorted.filter((count) => count <= 1000).length,
    frequent: sorted.filter((count) => count > 1000 && count <= 10_000).length,
    constant: sorted.filter((count) => count > 10_000).length,
  };
}

/** `<data set>/summary/<hookpoint>/<lang>.parquet` */
async function summaries(folder: string) {
  const found: { path: string; hookpoint: string; language: string }[] = [];
  for (const dataSet of await foldersIn(folder)) {
    const summary = join(folder, dataSet, "summary");
    for (const hookpoint of await foldersIn(summary)) {
      for (const file of (await listFolder(join(summary, hookpoint))).toSorted()) {
        const [, lang] = /^(.*)\.parquet$/.exec(file) ?? [];
        if (lang === undefined) continue;
        const language = isLanguage(lang) ? languageOf(lang).name : lang;
        found.push({ path: join(summary, hookpoint, file), hookpoint, language });
      }
    }
  }
  return found;
}

async function foldersIn(folder: string): Promise<string[]> {
  if (!await isFolder(folder)) return [];
  const names = (await listFolder(folder)).toSorted();
  const kinds = await Promise.all(names.map((name) => isFolder(join(folder, name))));
  return names.filter((_, i) => kinds[i]);
}
