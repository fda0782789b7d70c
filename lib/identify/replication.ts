/** identify --replicate: the same identification in other texts, and what is found again. */
import { join } from "node:path";
import { COUNT_FOLDERS } from "../count/command.ts";
import { parseDatasetConfigs } from "../data/dataset_configs.ts";
import { writeAtomic } from "../data/files.ts";
import { languageOf } from "../data/languages.ts";
import { writeTable } from "../data/tables.ts";
import { InputError } from "../formats/input_error.ts";
import {
  type Agreement,
  checkSameLanguages,
  type IdentifiedCounts,
  replicate,
  type Replication,
} from "../lape/replication.ts";
import { countEvidence } from "./evidence.ts";
import type { IdentifyOptions } from "./options.ts";
import { identifyIn, usualHookpoints } from "./rules.ts";

/** A replication, and where its texts come from. */
export interface Replicated {
  readonly replication: Replication;
  /** The texts, as they were asked for. */
  readonly corpus: string;
  /** For run.json. */
  readonly provenance: Readonly<Record<string, unknown>>;
}

/**
 * Refuses what cannot be replicated before anything is counted.
 *
 * @throws InputError for texts of other languages, or counts without a model
 */
export function checkReplication(options: IdentifyOptions): void {
  if (!options.replicate) return;
  if (options.inPath !== undefined) {
    throw new InputError(
      "--replicate counts texts, for which the model is needed, but --in-path takes counts without " +
        "one; name texts with --dataset-configs instead of --in-path.",
    );
  }
  const [first, second] = [options.datasetConfigs, options.replicate].map((named) => {
    const specs = parseDatasetConfigs(named, options);
    return [...new Set(specs.map(({ lang }) => languageOf(lang).name))].sort();
  });
  checkSameLanguages(first, second);
}

/**
 * Counts the texts of `--replicate` into a folder of their own, identifies in them with the same
 * options, and compares.
 *
 * @throws InputError for texts that cannot be used
 */
export async function replicateIn(
  options: IdentifyOptions & { readonly replicate: string[] },
  first: IdentifiedCounts,
): Promise<Replicated> {
  const hookpoints = usualHookpoints(options);
  const folder = `replication_${COUNT_FOLDERS[hookpoints ? "neurons" : "latents"]}`;
  const texts = { ...options, datasetConfigs: options.replicate };
  using evidence = await countEvidence(texts, hookpoints, folder);
  const { pooled, provenance } = evidence;
  const second = { pooled, identification: identifyIn(pooled, options) };
  const corpus = options.replicate.join(" ");
  return { replication: replicate(first, second), corpus, provenance };
}

/** What {@linkcode writeReplication} writes. */
export const REPLICATION_FILES = [
  "replication.csv",
  "replication.parquet",
  "replication.json",
] as const;

/** Writes replication.json and replication.csv; the last row of the table is of all languages. */
export async function writeReplication(
  folder: string,
  { replication: { top, languages, all }, corpus }: Replicated,
): Promise<void> {
  const rows = [...languages, { language: "all", ...all }];
  const columns: Record<string, (string | number | null)[]> = {
    language: rows.map(({ language }) => language),
  };
  for (const [name, valueOf] of Object.entries(COLUMNS)) {
    columns[name] = rows.map((row) => numberOrNull(valueOf(row)));
  }
  await writeTable(join(folder, "replication"), columns);
  const json = {
    corpus,
    top,
    languages: Object.fromEntries(
      languages.map(({ language, ...rest }) => [language, keyed(rest)]),
    ),
    all: keyed(all),
  };
  await writeAtomic(join(folder, "replication.json"), JSON.stringify(json, null, 2) + "\n");
}

const COLUMNS: Readonly<Record<string, (agreement: Agreement) => number>> = {
  features: ({ first }) => first,
  features_replication: ({ second }) => second,
  features_both: ({ both }) => both,
  jaccard: ({ jaccard }) => jaccard,
  jaccard_top: ({ jaccardTop }) => jaccardTop,
  entropy_spearman: ({ correlation }) => correlation,
  same_owner: ({ sameOwner }) => sameOwner,
};

function keyed(agreement: Agreement): Record<string, number | null> {
  return Object.fromEntries(
    Object.entries(COLUMNS).map(([name, valueOf]) => [name, numberOrNull(valueOf(agreement))]),
  );
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
