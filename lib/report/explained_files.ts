/** What `interpret` left in a folder of results, as its page shows it. */
import { join } from "node:path";
import {
  type Interpretation,
  type Interpretations,
  readInterpretations,
} from "../interpret/results/read_interpretations.ts";
import { foldersWith } from "./figure_sources/result_folder.ts";
import type { ExplainedFeature, ExplanationRun } from "./report_page.ts";

/** In every folder that `interpret` has written to. */
const FILE = "explanations.parquet";

/**
 * All runs of `interpret` in a folder; none where it has not run.
 *
 * @throws InputError when files are damaged
 */
export async function readExplanations(folder: string): Promise<ExplanationRun[]> {
  const runs: ExplanationRun[] = [];
  for (const path of await foldersWith(folder, FILE)) {
    const found = await readInterpretations(join(folder, path));
    if (found) runs.push(explanationRun(found));
  }
  return runs;
}

function explanationRun(
  { latents, random, summary, explainerModel, complete }: Interpretations,
): ExplanationRun {
  return {
    model: explainerModel,
    complete,
    features: [...latents.map(explained), ...random.map(explained)],
    scorers: summary.scorers.map(({ scorer, main, latents, failed, predictions, ...rest }) => ({
      ...{ scorer, metric: main, latents, failed, predictions },
      mean: rest.metrics[main] ?? { value: NaN, low: NaN, high: NaN },
      controls: rest.controls,
    })),
  };
}

function explained(
  { layer, index, languages, group, explanation, problem, scores }: Interpretation,
): ExplainedFeature {
  return {
    ...{ layer, index, languages, explanation, problem },
    random: group === "random",
    scores: scores.flatMap(({ scorer, main, metrics }) =>
      metrics[main] ? [{ scorer, metric: main, ...metrics[main] }] : []
    ),
  };
}
