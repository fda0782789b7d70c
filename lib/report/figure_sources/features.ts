/** Figures of what identify found. */
import { join } from "node:path";
import { z } from "zod";
import { isFile } from "../../data/file_tree.ts";
import { readLapeFile } from "../../data/lape_files.ts";
import { entropyFigure } from "../../figures/entropy_distribution.ts";
import { featureCountFigures } from "../../figures/feature_counts.ts";
import { ownersFigure } from "../../figures/feature_owners.ts";
import { activityFigures, type FeatureActivity } from "../../figures/feature_statistics.ts";
import type { Figure } from "../../figures/figure.ts";
import { sharedFeatureFigures } from "../../figures/shared_features.ts";
import { foldersWith, jsonOf, rowsOf } from "./result_folder.ts";

/** What an identification found, as figures need it. */
export interface FoundFeatures {
  /** Qualified names, alphabetical. */
  readonly languages: readonly string[];
  /** Absolute. */
  readonly layers: readonly number[];
  /** A feature of several languages under each. */
  readonly features: readonly FoundFeature[];
  readonly neurons: boolean;
  readonly compat: boolean;
}

/** A feature as the table of an identification has it. */
export interface FoundFeature extends FeatureActivity {
  /** Number of languages that own it. */
  readonly shares: number;
}

const COLUMNS = ["language", "layer", "index", "entropy", "probability", "shares"];
const ACTIVITY = ["fired_tokens", "avg", "max"];

const RunRecord = z.looseObject({
  options: z.looseObject({
    algorithm: z.string().optional(),
    compat: z.string().optional(),
  }),
});

/**
 * The features of a folder; undefined where identify has not run.
 *
 * @throws InputError for files that are damaged
 */
export async function readFeatures(folder: string): Promise<FoundFeatures | undefined> {
  const path = join(folder, "lape.json");
  if (!await isFile(path) || !await isFile(join(folder, "features.parquet"))) return undefined;
  const { languages, layers } = await readLapeFile(path);
  const run = await jsonOf(join(folder, "run.json"), RunRecord);
  const rows = await rowsOf(join(folder, "features.parquet"), [...COLUMNS, ...ACTIVITY]);
  return {
    languages,
    layers: Array.from({ length: layers }, (_, layer) => layer),
    neurons: run?.options.algorithm === "lape",
    compat: run?.options.compat === "paper",
    features: rows.map((row) => ({
      language: String(row.language),
      layer: Number(row.layer),
      index: Number(row.index),
      entropy: row.entropy === null ? NaN : Number(row.entropy),
      probability: Number(row.probability),
      shares: Number(row.shares),
      firedTokens: Number(row.fired_tokens),
      average: Number(row.avg),
      max: Number(row.max),
    })),
  };
}

/**
 * Features per language and layer, entropies, owners, shared features, and how features fire; of neurons
 * what there is of them.
 *
 * @param histogram candidates by their number of languages, if known: else it is of the features that
 *   were identified, shared ones included
 */
export async function featureFigures(
  folder: string,
  found: FoundFeatures,
  histogram?: readonly number[],
): Promise<Figure[]> {
  const { languages, layers, features, neurons } = found;
  const counts = featureCountFigures(features, {
    languages,
    layers,
    unit: neurons ? "neuron" : "feature",
  });
  if (neurons) return counts;
  const shared = await readShared(folder);
  const owners = histogram ?? ownersOf([...features, ...shared], languages.length);
  const kept = new Set(features.map(({ shares }) => shares));
  return [
    ...counts,
    entropyFigure(features, languages, found.compat ? 2 : 1),
    ...histogram || shared.length > 0 ? [ownersFigure(owners, kept)] : [],
    ...shared.length > 0 ? sharedFeatureFigures(shared, languages, layers) : [],
    ...activityFigures(features, languages),
    ...await neuronFigures(join(folder, "neurons")),
  ];
}

async function neuronFigures(folder: string): Promise<Figure[]> {
  const found = await readFeatures(folder);
  if (!found) return [];
  const { languages, layers, features } = found;
  return featureCountFigures(features, { languages, layers, unit: "neuron" });
}

/** Features of identifications that keep those of several languages: `shared/<count>`. */
async function readShared(folder: string) {
  const shared = join(folder, "shared");
  const folders = await foldersWith(shared, "features.parquet", 1);
  const tables = await Promise.all(
    folders.map((name) =>
      rowsOf(join(shared, name, "features.parquet"), ["language", "layer", "index", "shares"])
    ),
  );
  return tables.flat().map((row) => ({
    language: String(row.language),
    layer: Number(row.layer),
    index: Number(row.index),
    shares: Number(row.shares),
  }));
}

function ownersOf(
  features: readonly { layer: number; index: number; shares: number }[],
  languages: number,
): number[] {
  const distinct = new Map(features.map((one) => [`${one.layer} ${one.index}`, one.shares]));
  const counts = new Array<number>(languages).fill(0);
  for (const shares of distinct.values()) counts[shares - 1]++;
  return counts;
}
