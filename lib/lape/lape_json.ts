/**
 * lape.json: an identification under the original's keys (spec 6.4; `indicies` is its spelling).
 * Count tensors (`over_zero_*`) stay in the counts files.
 */
import { z } from "zod";
import { InputError } from "../formats/input_error.ts";
import type { Feature, Identification } from "./identification.ts";
import type { PooledCounts } from "./pool.ts";

/** What lape.json keeps of a feature. */
export type LapeFeature = Pick<
  Feature,
  "layer" | "index" | "entropy" | "probability" | "globalMax" | "globalMin" | "globalAvg"
>;

/** What lape.json says, in our terms. */
export interface LapeResult {
  /** Qualified names, alphabetical. */
  readonly languages: readonly string[];
  /** Examples and tokens per language. */
  readonly examples: readonly number[];
  readonly tokens: readonly number[];
  /** Layers that there are lists for: those of the model up to the last that was counted. */
  readonly layers: number;
  /** Per language (empty lists kept), sorted by (layer, index). */
  readonly features: readonly (readonly LapeFeature[])[];
}

/** A number, or null for NaN and the infinities, which JSON has not. */
const numberSchema = z.number().nullable();
const countSchema = z.int().nonnegative();
const perLayer = <T extends z.ZodType>(entry: T) => z.array(z.array(z.array(entry)));

const infoSchema = z.object({
  /** (layer, index), sorted. */
  indicies: z.array(z.tuple([countSchema, countSchema])),
  entropies: z.array(numberSchema),
  /** A bare number stands for one feature under `compat` (a 0-d tensor in the original). */
  selected_probs: z.union([z.array(numberSchema), numberSchema]),
});

const lapeSchema = z.object({
  /** "paper": languages without features are missing and selected_probs is in entropy order. */
  compat: z.literal("paper").optional(),
  /** `[language][absolute layer]`: indices, ascending. */
  final_indice: perLayer(countSchema),
  final_indice_global_max_active: perLayer(numberSchema),
  final_indice_global_min_active: perLayer(numberSchema),
  final_indice_global_avg_active: perLayer(numberSchema),
  sorted_lang: z.array(z.string()),
  num_examples: z.array(countSchema),
  num_tokens: z.array(countSchema),
  features_info: z.record(z.string(), infoSchema),
});

/** The plain object that is written as lape.json. */
export type LapeJson = z.infer<typeof lapeSchema>;
type FeaturesInfo = z.infer<typeof infoSchema>;

const FINAL_KEYS = [
  "final_indice",
  "final_indice_global_max_active",
  "final_indice_global_min_active",
  "final_indice_global_avg_active",
] as const;

/**
 * An identification as lape.json.
 *
 * By default `final_indice` has one entry per language of `sorted_lang`, and `selected_probs` the
 * order of `indicies`. `compat: "paper"` writes what the original publishes: languages without
 * features are left out of `final_indice*` and `features_info` but not of `sorted_lang` (quirk 9),
 * and `selected_probs` is in entropy order (quirk 10).
 */
export function toLapeJson(
  { languages, features }: Identification,
  pooled: PooledCounts,
  { compat }: { compat?: "paper" } = {},
): LapeJson {
  const result = {
    languages,
    examples: pooled.byLanguage.map(({ examples }) => examples),
    tokens: pooled.byLanguage.map(({ tokens }) => tokens),
    layers: pooled.layers[pooled.layers.length - 1] + 1,
    features,
  };
  if (compat !== "paper") return lapeResultJson(result);
  const written = byLanguage(languages, features).filter(({ features }) => features.length > 0);
  return { compat, ...lists(result, written, paperProbabilities) };
}

/**
 * A result that was read, in the default form of lape.json: a published file becomes one of ours.
 * What {@link fromLapeJson} reads of it is the result again.
 */
export function lapeResultJson(result: LapeResult): LapeJson {
  return lists(
    result,
    byLanguage(result.languages, result.features),
    (features) => features.map(({ probability }) => finiteOrNull(probability)),
  );
}

/** The keys of lape.json, for the languages whose features are written. */
function lists<F extends LapeFeature>(
  { languages, examples, tokens, layers }: LapeResult,
  written: readonly LanguageFeatures<F>[],
  probabilities: (features: readonly F[]) => FeaturesInfo["selected_probs"],
): LapeJson {
  const byLayer = <T>(valueOf: (feature: F) => T) =>
    written.map(({ features }) => groupByLayer(features, layers, valueOf));
  return {
    final_indice: byLayer(({ index }) => index),
    final_indice_global_max_active: byLayer(({ globalMax }) => finiteOrNull(globalMax)),
    final_indice_global_min_active: byLayer(({ globalMin }) => finiteOrNull(globalMin)),
    final_indice_global_avg_active: byLayer(({ globalAvg }) => finiteOrNull(globalAvg)),
    sorted_lang: [...languages],
    num_examples: [...examples],
    num_tokens: [...tokens],
    features_info: Object.fromEntries(
      written.map(({ language, features }) => [language, {
        indicies: features.map(({ layer, index }) => [layer, index]),
        entropies: features.map(({ entropy }) => finiteOrNull(entropy)),
        selected_probs: probabilities(features),
      }]),
    ),
  };
}

interface LanguageFeatures<F> {
  readonly language: string;
  readonly features: readonly F[];
}

function byLanguage<F>(
  languages: readonly string[],
  features: readonly (readonly F[])[],
): LanguageFeatures<F>[] {
  return languages.map((language, g) => ({ language, features: features[g] }));
}

/** In entropy order (quirk 10); a bare number for one feature. */
function paperProbabilities(features: readonly Feature[]): FeaturesInfo["selected_probs"] {
  const probabilities = features
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ probability }) => finiteOrNull(probability));
  return probabilities.length === 1 ? probabilities[0] : probabilities;
}

/**
 * Reads lape.json back; a file written under `compat` gets its empty languages and the order of its
 * probabilities restored.
 *
 * @param where the file's name, for messages
 * @throws {InputError} a key is missing or of the wrong type, or the lists do not fit together
 */
export function fromLapeJson(json: unknown, where: string): LapeResult {
  const lape = parse(json, where);
  const problem = contradiction(lape);
  if (problem) throw new InputError(`${where}: ${problem}; write the file again with identify.`);
  const places = new Map(writtenLanguages(lape).map((language, place) => [language, place]));
  return {
    languages: lape.sorted_lang,
    examples: lape.num_examples,
    tokens: lape.num_tokens,
    layers: lape.final_indice.reduce((most, layers) => Math.max(most, layers.length), 0),
    features: lape.sorted_lang.map((language) => {
      const place = places.get(language);
      return place === undefined ? [] : readFeatures(lape, lape.features_info[language], place);
    }),
  };
}

function parse(json: unknown, where: string): LapeJson {
  const result = lapeSchema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue.path.join(".") || "the file";
  throw new InputError(
    `${where}: ${path} is not as expected in a lape.json (${issue.message}); ` +
      `write the file again with identify.`,
  );
}

/** Languages that the lists speak of, in their order; all of sorted_lang unless under quirk 9. */
function writtenLanguages({ sorted_lang, features_info }: LapeJson): string[] {
  return sorted_lang.filter((language) => Object.hasOwn(features_info, language));
}

/** What does not fit together in a file whose types are right, in words; null where all does. */
function contradiction(lape: LapeJson): string | null {
  const { sorted_lang: languages, features_info: info } = lape;
  const written = writtenLanguages(lape);
  if (written.length !== Object.keys(info).length) {
    return "features_info names a language that sorted_lang does not";
  }
  if (!lape.compat && written.length !== languages.length) {
    return "sorted_lang names a language that features_info does not";
  }
  const short = (["num_examples", "num_tokens"] as const)
    .find((key) => lape[key].length !== languages.length);
  if (short) return `${short} must have ${languages.length} entries, has ${lape[short].length}`;
  const uneven = FINAL_KEYS.find((key) => lape[key].length !== written.length);
  if (uneven) return `${uneven} must have ${written.length} entries, has ${lape[uneven].length}`;
  const broken = written.find((language, place) => !listsAgree(lape, info[language], place));
  return broken ? `the lists of ${broken} name different features` : null;
}

/** Whether features_info and the final_indice lists of one language name the same features. */
function listsAgree(lape: LapeJson, info: FeaturesInfo, place: number): boolean {
  const { indicies, entropies, selected_probs } = info;
  const probabilities = [selected_probs].flat();
  if (entropies.length !== indicies.length || probabilities.length !== indicies.length) {
    return false;
  }
  const [positions, ...values] = FINAL_KEYS.map((key) => lape[key][place]);
  const named = positions.flatMap((list, layer) => list.map((index) => [layer, index]));
  return named.length === indicies.length &&
    named.every(([layer, index], i) => layer === indicies[i][0] && index === indicies[i][1]) &&
    values.every((layers) =>
      layers.length === positions.length &&
      layers.every((list, layer) => list.length === positions[layer].length)
    );
}

function readFeatures(lape: LapeJson, info: FeaturesInfo, place: number): LapeFeature[] {
  const flat = (key: typeof FINAL_KEYS[number]) => lape[key][place].flat();
  const max = flat("final_indice_global_max_active");
  const min = flat("final_indice_global_min_active");
  const avg = flat("final_indice_global_avg_active");
  const probabilities = probabilitiesInPlace(info, lape.compat === "paper");
  return info.indicies.map(([layer, index], i) => ({
    layer,
    index,
    entropy: info.entropies[i] ?? NaN,
    probability: probabilities[i] ?? NaN,
    globalMax: max[i] ?? NaN,
    globalMin: min[i] ?? NaN,
    globalAvg: avg[i] ?? NaN,
  }));
}

/** selected_probs in the order of `indicies`: undoes quirk 10, ties by (layer, index). */
function probabilitiesInPlace(info: FeaturesInfo, paper: boolean): (number | null)[] {
  const written = [info.selected_probs].flat();
  if (!paper) return written;
  const inPlace = new Array<number | null>(written.length);
  [...written.keys()]
    .sort((a, b) => (info.entropies[a] ?? 0) - (info.entropies[b] ?? 0) || a - b)
    .forEach((place, rank) => inPlace[place] = written[rank]);
  return inPlace;
}

function groupByLayer<F extends LapeFeature, T>(
  features: readonly F[],
  layers: number,
  valueOf: (feature: F) => T,
): T[][] {
  const groups: T[][] = Array.from({ length: layers }, () => []);
  for (const feature of features) groups[feature.layer].push(valueOf(feature));
  return groups;
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
