/** A folder that identify has written, as the explorer reads it. */
import { join, resolve } from "node:path";
import { z } from "zod";
import { findStoredCounts, readCounts } from "../../count/count_files.ts";
import { COUNT_FOLDERS } from "../../count/command.ts";
import { NORMAL_FORMS } from "../../data/corpus_files.ts";
import { parseDatasetConfigs } from "../../data/dataset_configs.ts";
import { readJson, sha256File } from "../../data/files.ts";
import { isFile } from "../../data/file_tree.ts";
import { type Language, languageOf } from "../../data/languages.ts";
import { readTable } from "../../data/tables.ts";
import { InputError } from "../../formats/input_error.ts";
import type { IdentifiedFeatures } from "../../identify/lape_result.ts";
import { roundedCounts } from "../../lape/counts.ts";
import { type PooledCounts, Pooling } from "../../lape/pool.ts";
import type { ModelOptions, TextOptions } from "../../session/options.ts";

const list = z.array(z.string());

/** What is read of run.json; anything else may stand there too. */
const manifestSchema = z.looseObject({
  step: z.literal("identify"),
  options: z.looseObject({
    model: z.string().optional(),
    saeModel: list.optional(),
    localSaeDir: list.optional(),
    layer: list.optional(),
    datasetConfigs: list,
    textColumn: z.string().optional(),
    promptTemplate: z.string().optional(),
    normalForm: z.enum(NORMAL_FORMS).optional(),
    compat: z.literal("paper").optional(),
    bootstrap: z.int().nonnegative(),
    seed: z.int().nonnegative(),
    algorithm: z.string(),
  }),
  model: z.looseObject({ name: z.string(), sha256: z.record(z.string(), z.string()) }),
  saes: z.looseObject({
    name: z.string().nullable(),
    sha256: z.record(z.string(), z.string()),
  }),
  corpora: z.array(z.looseObject({ sha256: list })),
  started: z.string(),
});

/** What identify was told, and what of. */
export interface Results {
  readonly folder: string;
  readonly features: IdentifiedFeatures;
  /** Which model, SAEs and texts. */
  readonly options: ModelOptions & TextOptions & {
    readonly compat?: "paper";
    readonly bootstrap: number;
    readonly seed: number;
  };
  /** As run.json has it. */
  readonly manifest: z.infer<typeof manifestSchema>;
  /** SHA-256 of run.json: results that were written anew have another. */
  readonly sha256: string;
}

/**
 * Reads what identify says of its results.
 *
 * @param features of the folder
 * @throws InputError for a folder without them, and for those of neurons
 */
export async function readResults(
  outDir: string,
  features: IdentifiedFeatures,
): Promise<Results> {
  const folder = resolve(outDir);
  const path = join(folder, "run.json");
  const parsed = manifestSchema.safeParse(await readJson(path));
  if (!parsed.success) {
    const [{ path: at, message }] = parsed.error.issues;
    throw new InputError(
      `${path} is not one that identify wrote after counting (${at.join(".")}: ${message}); run ` +
        `"babelscope identify --out-dir ${outDir}" without --in-path first.`,
    );
  }
  const { options } = parsed.data;
  if (options.algorithm === "lape") {
    throw new InputError(
      `${folder} has neurons; explore shows latents of SAEs: name their folder.`,
    );
  }
  return { folder, features, options, manifest: parsed.data, sha256: await sha256File(path) };
}

/** Counts of the results by language. */
export interface ResultCounts {
  readonly pooled: PooledCounts;
  /** In the order of `pooled.languages`. */
  readonly languages: readonly Language[];
}

/**
 * Reads the counts that the results were identified from.
 *
 * @throws InputError when they are not there any more
 */
export async function readResultCounts({ folder, options }: Results): Promise<ResultCounts> {
  const specs = parseDatasetConfigs(options.datasetConfigs, options);
  const found = await findStoredCounts(join(folder, COUNT_FOLDERS.latents), specs);
  const pooling = new Pooling();
  const byName = new Map<string, Language>();
  for (const { lang } of found) {
    const language = languageOf(lang);
    if (!byName.has(language.name)) byName.set(language.name, language);
  }
  for (const { lang, path } of uniqueBy(found, ({ path }) => path)) {
    const { counts } = await readCounts(path);
    pooling.add({
      language: languageOf(lang).name,
      counts: options.compat === "paper" ? roundedCounts(counts) : counts,
    });
  }
  const pooled = pooling.finish();
  return { pooled, languages: pooled.languages.map((name) => byName.get(name)!) };
}

/** q-values of features by `layer index`, the least of their languages; none where there was no test. */
export async function readQValues({ folder }: Results): Promise<ReadonlyMap<string, number>> {
  const path = join(folder, "features.parquet");
  const least = new Map<string, number>();
  if (!await isFile(path)) return least;
  const { layer, index, ...rest } = await readTable(path);
  (rest.q_value ?? []).forEach((value, i) => {
    if (value === null) return;
    const key = `${layer[i]} ${index[i]}`;
    least.set(key, Math.min(Number(value), least.get(key) ?? Infinity));
  });
  return least;
}

function uniqueBy<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}
