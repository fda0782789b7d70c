/** Where the decoder directions of a layer lie, those of languages among the others. */
import type { Figure } from "./figure.ts";
import { figureOf } from "./kinds.ts";
import { type Random, sample, seededRandom } from "../stats/random.ts";

/** A latent on the map. */
export interface MappedLatent {
  readonly layer: number;
  readonly index: number;
  readonly x: number;
  readonly y: number;
  /** Absent in the background. */
  readonly feature?: {
    readonly language: string;
    readonly entropy: number;
    readonly probability: number;
    readonly explanation?: string;
  };
}

/** Layers with fewer features of languages have no map (spec section 12). */
export const LEAST_MAPPED = 4;
/** Others that a map shows at most: it takes time that grows with their square. */
export const BACKGROUND = 1500;

/**
 * The latents of a layer's map: the given ones first, then others in the order of their index, all or a
 * sample that the seed decides.
 *
 * @param features latents that belong to languages, each once
 * @param latents of the SAE
 */
export function mappedLatents(
  features: readonly number[],
  latents: number,
  most = BACKGROUND,
  random: Random = seededRandom(42),
): number[] {
  const own = new Set(features);
  const others = Array.from({ length: latents }, (_, index) => index)
    .filter((index) => !own.has(index));
  const drawn = others.length <= most
    ? others
    : sample(random, others.length, most).sort((a, b) => a - b).map((at) => others[at]);
  return [...own, ...drawn];
}

/**
 * The map of one layer.
 *
 * @param total latents of the SAE, of which the background may be a sample
 */
export function decoderMapFigure(
  latents: readonly MappedLatent[],
  { layer, languages, total }: {
    layer: number;
    languages: readonly string[];
    total: number;
  },
): Figure {
  const own = new Set(latents.filter(({ feature }) => feature).map(({ index }) => index)).size;
  const behind = latents.filter(({ feature }) => !feature).length;
  const background = own + behind < total
    ? `${behind.toLocaleString("en")} others of ${
      (total - own).toLocaleString("en")
    }, drawn at random,`
    : `all ${behind.toLocaleString("en")} others`;
  return figureOf(
    "map",
    {
      id: `decoder-map-${layer}`,
      group: "Directions",
      title: `Decoder directions of layer ${layer}`,
      see:
        `UMAP of ${own} features of languages and ${background} in grey: features of one language ` +
        `that lie together write similar things into the model.`,
    },
    { x: "x", y: "y", series: "language", seriesNames: languages },
    latents.map(({ layer, index, x, y, feature }) => ({
      language: feature?.language ?? null,
      layer,
      index,
      x: rounded(x),
      y: rounded(y),
      entropy: feature?.entropy ?? null,
      probability: feature?.probability ?? null,
      ...feature?.explanation !== undefined && { explanation: feature.explanation },
    })),
  );
}

/** Thousandths; no -0, which JSON has not. */
function rounded(place: number): number {
  return Number(place.toFixed(3)) + 0;
}
