/** What `interpret` has found out about latents, as far as it has run. */
import { join } from "node:path";
import { isFile } from "../../data/file_tree.ts";
import { sha256File } from "../../data/files.ts";
import {
  type InterpretationScore,
  readInterpretations,
} from "../../interpret/results/read_interpretations.ts";
import { RESULT_FILES } from "../../interpret/results/written_results.ts";
import type { ExplanationScore } from "../backend.ts";

/** Explanations and scores of latents. */
export interface LatentInterpretations {
  /** SHA-256 of their tables; empty without. */
  readonly sha256: readonly string[];
  of(layer: number, index: number): {
    readonly explanation: string | null;
    readonly scores: readonly ExplanationScore[];
  };
}

/**
 * Reads the results of interpret for identified latents.
 *
 * @param folder of one run of it; one without results has no explanations
 * @throws InputError for damaged tables
 */
export async function latentInterpretations(folder: string): Promise<LatentInterpretations> {
  const { latents } = await readInterpretations(folder) ?? { latents: [] };
  const found = new Map(latents.map((latent) => [`${latent.layer} ${latent.index}`, latent]));
  return {
    sha256: await tableHashes(folder),
    of(layer, index) {
      const latent = found.get(`${layer} ${index}`);
      return {
        explanation: latent?.explanation ?? null,
        scores: latent?.scores.flatMap((score) => scoreOf(score) ?? []) ?? [],
      };
    },
  };
}

async function tableHashes(folder: string): Promise<string[]> {
  const paths = [RESULT_FILES.explanations, RESULT_FILES.scores]
    .map((name) => join(folder, `${name}.parquet`));
  const hashes: string[] = [];
  for (const path of paths) if (await isFile(path)) hashes.push(await sha256File(path));
  return hashes;
}

/** Of scorers that say where a latent fires; others are judged by other metrics. */
function scoreOf({ scorer, metrics }: InterpretationScore): ExplanationScore | undefined {
  const { accuracy, f1_score: f1, precision, recall } = metrics;
  if (accuracy === undefined || Number.isNaN(accuracy.value)) return undefined;
  const { low, high } = accuracy;
  return {
    scorer,
    accuracy: accuracy.value,
    interval: Number.isNaN(low) || Number.isNaN(high) ? null : [low, high],
    f1: f1?.value ?? NaN,
    precision: precision?.value ?? NaN,
    recall: recall?.value ?? NaN,
  };
}
