/**
 * What interventions do to perplexities: the change matrix over languages as published, and the change on
 * a language's own texts against that on the others', with intervals.
 *
 * A change of an effect is that of the mean negative log-likelihood per token, in nats, over all tokens of
 * a language: the logarithm of the ratio of its corpus perplexities. A mean over other languages weighs each
 * the same, so that no language of many tokens speaks for all.
 */
import { type BootstrapOptions, clusterBootstrap, type Interval } from "../stats/bootstrap.ts";
import { corpusPerplexity, perplexity, type TextScore } from "./perplexity.ts";

/** Texts of one language that are impacted, as the model scores them without intervention. */
export interface Impacted {
  readonly normal: readonly TextScore[];
  /** What each text is a part of; the same number in another language is the same, translated. */
  readonly documents: readonly number[];
}

/** Scores under one intervention: [impacted language][text]. */
export type Scores = readonly (readonly TextScore[])[];

/** An intervention in one language's features. */
export interface Intervention {
  /** The language's place among the impacted; undefined when its texts are not among them. */
  readonly own: number | undefined;
  readonly scores: Scores;
  /** The same of each random control. */
  readonly controls: readonly Scores[];
}

/** A mean change in nats per token, and its percentile interval; null for a single document. */
export interface Estimate {
  readonly mean: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** Changes by one intervention; null where there is nothing that it could be measured on. */
export interface Effect {
  readonly own: Estimate | null;
  /** Mean over the other languages. */
  readonly others: Estimate | null;
  /** The same of the controls, mean over the draws. */
  readonly control_own: Estimate | null;
  readonly control_others: Estimate | null;
}

const KEYS = ["own", "others", "control_own", "control_others"] as const;

/** Effects of all interventions. */
export interface Effects {
  /** In the order of the interventions. */
  readonly each: readonly Effect[];
  /** Mean over the interventions; of own languages, over those with texts of their own. */
  readonly mean: Effect;
}

/** Mean over texts of the change of their perplexities: an entry of the published matrix. */
export function meanChange(normal: readonly TextScore[], changed: readonly TextScore[]): number {
  const changes = changed.map((score, i) => perplexity(score) - perplexity(normal[i]));
  return changes.reduce((sum, change) => sum + change, 0) / changes.length;
}

/** Corpus perplexity with an intervention over that without. */
export function corpusRatio(normal: readonly TextScore[], changed: readonly TextScore[]): number {
  return corpusPerplexity(changed) / corpusPerplexity(normal);
}

/**
 * Changes of own and other languages, with 95 % intervals by resampling documents. Parallel texts are one
 * document in all languages, and all statistics share the resamples.
 */
export function interventionEffects(
  impacted: readonly Impacted[],
  interventions: readonly Intervention[],
  options: BootstrapOptions = {},
): Effects {
  const clusters = [...new Set(impacted.flatMap(({ documents }) => documents))];
  const changes = interventions.map(({ own, scores, controls }) => ({
    own,
    rows: [scores, ...controls].map((row) => changesByCluster(impacted, clusters, row)),
  }));
  const tokens = impacted.map(({ normal, documents }) =>
    sumsByCluster(clusters, documents, normal.map((score) => score.tokens))
  );
  const owned = interventions.map(({ own }) => own !== undefined);
  const statistics = (weights: Uint32Array) => {
    const weighted = tokens.map((counts) => dot(counts, weights));
    const each = changes.map(({ own, rows }) =>
      ownAndOthers(
        rows.map((row) => row.map((sums, j) => dot(sums, weights) / weighted[j])),
        own,
      )
    );
    const means = KEYS.map((key, s) =>
      mean(each.filter((_, i) => owned[i] || !key.endsWith("own")).map((values) => values[s]))
    );
    return [...each, means].flat();
  };
  const means = statistics(new Uint32Array(clusters.length).fill(1));
  const intervals = clusterBootstrap(clusters.length, statistics, options);
  const several = (languages: readonly Impacted[]) =>
    new Set(languages.flatMap(({ documents }) => documents)).size > 1;
  const effectAt = (i: number, own: boolean, others: boolean) =>
    effect(means, intervals, i * KEYS.length, [own, others, own, others]);
  return {
    each: interventions.map(({ own }, i) =>
      effectAt(
        i,
        several(impacted.filter((_, j) => j === own)),
        several(impacted.filter((_, j) => j !== own)),
      )
    ),
    mean: effectAt(interventions.length, several(impacted), several(impacted)),
  };
}

/** In how many interventions the own language is at an end of those that are impacted. */
export interface DiagonalDominance {
  /** Its corpus perplexity grows by a larger factor than that of any other language. */
  readonly largest: number;
  /** By a smaller one: what is expected of steering towards the language. */
  readonly smallest: number;
  /** Interventions with texts of their own language and of others. */
  readonly of: number;
}

/** Compares the own language's change with each other language's. */
export function diagonalDominance(
  impacted: readonly Impacted[],
  interventions: readonly Intervention[],
): DiagonalDominance {
  const measured = interventions.flatMap(({ own, scores }) => {
    if (own === undefined || impacted.length < 2) return [];
    const ratios = scores.map((changed, j) => corpusRatio(impacted[j].normal, changed));
    return [{ own: ratios[own], others: ratios.filter((_, j) => j !== own) }];
  });
  return {
    largest: measured.filter(({ own, others }) => others.every((ratio) => ratio < own)).length,
    smallest: measured.filter(({ own, others }) => others.every((ratio) => ratio > own)).length,
    of: measured.length,
  };
}

/** Σ change of -ln p over the texts of each cluster: [impacted language][cluster]. */
function changesByCluster(
  impacted: readonly Impacted[],
  clusters: readonly number[],
  scores: Scores,
): Float64Array[] {
  return impacted.map(({ normal, documents }, j) =>
    sumsByCluster(
      clusters,
      documents,
      scores[j].map((score, text) =>
        score.negativeLogLikelihood - normal[text].negativeLogLikelihood
      ),
    )
  );
}

function sumsByCluster(
  clusters: readonly number[],
  documents: readonly number[],
  values: readonly number[],
): Float64Array {
  const places = new Map(clusters.map((document, place) => [document, place]));
  const sums = new Float64Array(clusters.length);
  values.forEach((value, text) => sums[places.get(documents[text]) ?? NaN] += value);
  return sums;
}

/**
 * The values of {@linkcode KEYS}, of rows of changes: the intervention's, then its controls'. A resample
 * without any text of a language that is needed gives NaN: a mean over fewer would be of other languages.
 */
function ownAndOthers(rows: readonly (readonly number[])[], own: number | undefined): number[] {
  const pairs = rows.map((row) => ({
    own: own === undefined ? NaN : row[own],
    others: mean(row.filter((_, j) => j !== own)),
  }));
  const [changed, ...controls] = pairs;
  return [
    changed.own,
    changed.others,
    mean(controls.map((control) => control.own)),
    mean(controls.map((control) => control.others)),
  ];
}

/**
 * The effect whose values start at `first`.
 *
 * @param several whether each of {@linkcode KEYS} is measured on more than one document
 */
function effect(
  means: readonly number[],
  intervals: readonly Interval[],
  first: number,
  several: readonly boolean[],
): Effect {
  const estimate = (s: number): Estimate | null => {
    const { low, high } = intervals[first + s];
    if (Number.isNaN(means[first + s])) return null;
    const known = several[s] && !Number.isNaN(low);
    return { mean: means[first + s], low: known ? low : null, high: known ? high : null };
  };
  const [own, others, control_own, control_others] = KEYS.map((_, s) => estimate(s));
  return { own, others, control_own, control_others };
}

function dot(values: Float64Array, weights: Uint32Array): number {
  return values.reduce((sum, value, i) => sum + value * weights[i], 0);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}
