/** All figures that a folder of results allows. */
import type { Figure } from "../figures/figure.ts";
import {
  activityStatistics,
  featureSimilarityFigures,
  opposingFigures,
} from "./figure_sources/analysis.ts";
import { classificationFigures } from "./figure_sources/classification.ts";
import { decoderMaps, type MapOptions } from "./figure_sources/decoder_maps.ts";
import { explanationsIn, interpretationFigures } from "./figure_sources/interpretations.ts";
import { featureFigures, readFeatures } from "./figure_sources/features.ts";
import { perplexityFigures } from "./figure_sources/perplexity.ts";
import { steeredTextFigures } from "./figure_sources/steered_texts.ts";
import { saeEvaluations, trainingCurves } from "./figure_sources/training.ts";

/** What figures may be made of beside the files of the steps. */
export interface FigureOptions extends MapOptions {
  /** `[s - 1]`: candidates that belong to exactly `s` languages, where that is known. */
  readonly shareHistogram?: readonly number[];
  /** Open SAEs to map their decoder directions: takes seconds per layer. */
  readonly maps?: boolean;
}

/**
 * Reads a folder as steps leave it, `identify`, `paper`, `train-sae`, `evaluate-sae`, `interpret`, or a
 * mixture. Figures of a group come together; what a step has not written has none.
 *
 * @throws InputError for files that are damaged, and with `maps` for SAEs that cannot be opened
 */
export async function readFigures(folder: string, options: FigureOptions = {}): Promise<Figure[]> {
  const found = await readFeatures(folder);
  const features = found ? await featureFigures(folder, found, options.shareHistogram) : [];
  const mapped = found && !found.neurons && options.maps;
  const explanations = options.explanations ?? await explanationsIn(folder);
  const groups = [
    features,
    await activityStatistics(folder),
    mapped ? await decoderMaps(folder, found, { ...options, explanations }) : [],
    await opposingFigures(folder),
    await featureSimilarityFigures(folder),
    await perplexityFigures(folder),
    await steeredTextFigures(folder),
    await classificationFigures(folder),
    found ? await interpretationFigures(folder, found) : [],
    await trainingCurves(folder),
    await saeEvaluations(folder),
  ].flat();
  return [...Map.groupBy(groups, ({ group }) => group).values()].flat();
}
