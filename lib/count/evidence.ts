/** The counts an identification starts from: made now, or found in a folder. */
import { join, resolve } from "node:path";
import { describeSpec, parseDatasetConfigs } from "../data/dataset_configs.ts";
import { type Language, languageOf } from "../data/languages.ts";
import { versions } from "../data/manifest.ts";
import type { Counts } from "../formats/counts.ts";
import { roundedCounts } from "../lape/counts.ts";
import { pool, type PooledCounts } from "../lape/pool.ts";
import { count, type Counted, type CountOptions, countProvenance } from "./command.ts";
import { findStoredCounts } from "./count_files.ts";

/** Counts by language and where they come from. */
export interface Evidence extends Disposable {
  readonly pooled: PooledCounts;
  /** In the order of `pooled.languages`. */
  readonly languages: readonly Language[];
  /** The run that made the counts; absent for counts that were only read. */
  readonly counted?: Counted;
  /** Names the texts for people. */
  readonly corpus: string;
  /** For run.json. */
  readonly provenance: Readonly<Record<string, unknown>>;
}

/** Counts what the options say, unless the counts are there. */
export async function countEvidence(
  options: CountOptions,
  hookpoints?: readonly string[],
): Promise<Evidence> {
  const counted = await count(options, undefined, hookpoints);
  const entries = counted.results.map(({ corpora, counts }) => ({
    language: corpora[0].language,
    counts,
  }));
  return {
    ...pooledByLanguage(entries, options.compat),
    counted,
    corpus: corpusName(counted.corpora.map(({ spec }) => spec.name)),
    provenance: countProvenance(counted),
    [Symbol.dispose]: () => counted[Symbol.dispose](),
  };
}

/**
 * Reads counts without a model.
 *
 * @param datasets as `--dataset-configs`; everything in the folder if not given
 */
export async function readEvidence(
  inDir: string,
  inPath: string,
  datasets: readonly string[] | undefined,
  compat: "paper" | undefined,
): Promise<Evidence> {
  const folder = resolve(join(inDir, inPath));
  const specs = datasets && parseDatasetConfigs(datasets, { compat });
  const found = await findStoredCounts(folder, specs);
  const entries = found.map(({ lang, counts }) => ({ language: languageOf(lang), counts }));
  return {
    ...pooledByLanguage(entries, compat),
    corpus: corpusName(specs?.map(describeSpec) ?? found.map(({ dataset }) => dataset)),
    provenance: {
      counts: found.map(({ path, adapter, identity }) => ({
        path,
        adapter,
        identity: identity === "" ? null : JSON.parse(identity),
      })),
      versions: versions(),
    },
    [Symbol.dispose]() {},
  };
}

/** Published max and min are rounded before they are pooled. */
function pooledByLanguage(
  entries: readonly { readonly language: Language; readonly counts: Counts }[],
  compat: "paper" | undefined,
): { pooled: PooledCounts; languages: Language[] } {
  const pooled = pool(entries.map(({ language, counts }) => ({
    language: language.name,
    counts: compat === "paper" ? roundedCounts(counts) : counts,
  })));
  const languages = pooled.languages.map((name) =>
    entries.find(({ language }) => language.name === name)!.language
  );
  return { pooled, languages };
}

function corpusName(names: readonly string[]): string {
  return [...new Set(names)].join(", ");
}
