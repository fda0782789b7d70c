/** The counts an identification starts from: made now, or found in a folder. */
import { resolve } from "node:path";
import { describeSpec, parseDatasetConfigs } from "../data/dataset_configs.ts";
import { type Language, languageOf } from "../data/languages.ts";
import { versions } from "../data/manifest.ts";
import { roundedCounts } from "../lape/counts.ts";
import { type PooledCounts, Pooling } from "../lape/pool.ts";
import { count, type Counted, type CountOptions, countProvenance } from "../count/command.ts";
import { findStoredCounts, readCounts, type StoredCounts } from "../count/count_files.ts";

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

/**
 * Counts what the options say, unless the counts are there.
 *
 * @param outPath folder of the counts within `--out-dir`; after the kind of units if not given
 */
export async function countEvidence(
  options: CountOptions,
  hookpoints?: readonly string[],
  outPath?: string,
): Promise<Evidence> {
  const counted = await count(options, outPath, hookpoints);
  const files = counted.results.map(({ corpora, path }) => ({
    language: corpora[0].language,
    path,
  }));
  const { pooled, languages } = await pooledByLanguage(files, options.compat);
  return {
    pooled,
    languages,
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
  const folder = resolve(inDir, inPath);
  const specs = datasets && parseDatasetConfigs(datasets, { compat });
  const found = await findStoredCounts(folder, specs);
  const files = found.map(({ lang, path }) => ({ language: languageOf(lang), path }));
  const { pooled, languages, origins } = await pooledByLanguage(files, compat);
  return {
    pooled,
    languages,
    corpus: corpusName(specs?.map(describeSpec) ?? found.map(({ dataset }) => dataset)),
    provenance: {
      counts: origins.map(({ path, adapter, identity }) => ({
        path,
        adapter,
        identity: identity === "" ? null : JSON.parse(identity),
      })),
      versions: versions(),
    },
    [Symbol.dispose]() {},
  };
}

/** A counts file and what its texts are written in. */
interface LanguageFile {
  readonly language: Language;
  readonly path: string;
}

interface PooledByLanguage {
  readonly pooled: PooledCounts;
  /** In the order of `pooled.languages`. */
  readonly languages: readonly Language[];
  /** What each file says of itself. */
  readonly origins: readonly (Omit<StoredCounts, "counts"> & { readonly path: string })[];
}

/** Reads one file at a time; published max and min are rounded before they are pooled. */
async function pooledByLanguage(
  files: readonly LanguageFile[],
  compat: "paper" | undefined,
): Promise<PooledByLanguage> {
  const pooling = new Pooling();
  const origins: PooledByLanguage["origins"][number][] = [];
  for (const { language, path } of files) {
    const { counts, adapter, identity } = await readCounts(path);
    pooling.add({
      language: language.name,
      counts: compat === "paper" ? roundedCounts(counts) : counts,
    });
    origins.push({ path, adapter, identity });
  }
  const pooled = pooling.finish();
  const languages = pooled.languages.map((name) =>
    files.find(({ language }) => language.name === name)!.language
  );
  return { pooled, languages, origins };
}

function corpusName(names: readonly string[]): string {
  return [...new Set(names)].join(", ");
}
