/** Builds the index: one pass over the texts, and what else a latent's page shows. */
import type { DatabaseSync } from "node:sqlite";
import type { Corpus } from "../../data/corpora.ts";
import type { LapeResult } from "../../lape/lape_json.ts";
import type { PooledCounts } from "../../lape/pool.ts";
import type { RunOptions } from "../../session/options.ts";
import { runModel, type Session } from "../../session/session.ts";
import { checkLengths } from "../../session/tokenised.ts";
import { extentOf } from "./extent.ts";
import { indexTexts } from "./index_texts.ts";
import type { LatentInterpretations } from "./interpretations.ts";
import { overviewOf } from "./overview.ts";
import type { ResultCounts, Results } from "./results.ts";
import { inTransaction } from "./schema.ts";
import { writeDetails } from "./write_details.ts";
import { writeFeatures } from "./write_features.ts";
import { writeFirings } from "./write_firings.ts";
import { writeTexts } from "./write_texts.ts";

/** What an index is made from. */
export interface IndexSources {
  readonly results: Results;
  readonly counts: ResultCounts;
  /** The texts that were counted. */
  readonly corpora: readonly Corpus[];
  readonly session: Session;
  readonly interpretations: LatentInterpretations;
  /** By `layer index`. */
  readonly qValues: ReadonlyMap<string, number>;
  readonly options: RunOptions;
}

/** Languages that a latent belongs to, by its id; only of identified ones. */
export type Owners = ReadonlyMap<number, readonly string[]>;

/**
 * Fills an empty database.
 *
 * @throws InputError for texts that no batch holds
 */
export async function buildIndex(database: DatabaseSync, sources: IndexSources): Promise<void> {
  const { results, counts: { pooled }, corpora, session, options } = sources;
  const { subject } = session;
  const owners = ownersById(results.features.result, pooled);
  const extent = extentOf(pooled, owners.keys(), subject.config.hiddenSize);
  const texts = indexTexts(subject, corpora, pooled.languages);
  using model = await runModel(session, options);
  for (const corpus of corpora) checkLengths(corpus, texts, model.limits.tokens);
  inTransaction(database, () => {
    writeTexts(database, texts);
    writeFeatures(database, sources, owners);
    writeMeta(database, "overview", overviewOf(sources, texts));
  });
  await writeFirings(database, { subject, model, texts, extent, pooled });
  await writeDetails(database, sources, { model, texts, extent });
}

/** Keeps a value under a name. */
export function writeMeta(database: DatabaseSync, name: string, value: unknown): void {
  database.prepare("INSERT INTO meta (name, value) VALUES (?, ?)").run(name, JSON.stringify(value));
}

function ownersById(
  { languages, features }: LapeResult,
  { layers, width }: PooledCounts,
): Owners {
  const owners = new Map<number, readonly string[]>();
  languages.forEach((language, g) => {
    for (const { layer, index } of features[g]) {
      const row = layers.indexOf(layer);
      if (row < 0 || index >= width) continue;
      const id = row * width + index;
      owners.set(id, [...owners.get(id) ?? [], language]);
    }
  });
  return owners;
}
