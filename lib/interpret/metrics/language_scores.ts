/** Scores of many latents together: per language, over all rows, by how often latents fire (spec B.10). */
import { roundHalfToEven } from "../../lape/rounding.ts";
import type { LatentName } from "../example.ts";
import { confusionEstimates } from "./confusion_score.ts";
import type { ConfusionMetrics } from "./confusion.ts";
import type { Estimate, LatentScore } from "./latent_score.ts";
import { mean, meanEstimate, weightedMean } from "./means.ts";

/** A latent with its score by one scorer. */
export interface ScoredLatent {
  readonly latent: LatentName;
  /** The languages that it belongs to. */
  readonly languages: readonly string[];
  /** How often it fires: its weight where latents are weighted. */
  readonly firedTokens: number;
  readonly score: LatentScore;
}

/** Scores of a language's latents by one scorer. */
export interface LanguageScore {
  readonly language: string;
  /** Latents with a row that counts. */
  readonly latents: number;
  /** Rows without a prediction, of all its latents. */
  readonly failed: number;
  /** Means over latents, with the interval of a bootstrap of latents. */
  readonly metrics: Readonly<Record<string, Estimate>>;
}

/** Scores per language, alphabetical. Latents without any valid row are left out of the means. */
export function languageScores(latents: readonly ScoredLatent[]): LanguageScore[] {
  const languages = [...new Set(latents.flatMap(({ languages }) => languages))].sort();
  return languages.map((language) => {
    const own = latents.filter(({ languages }) => languages.includes(language));
    return {
      language,
      latents: own.filter(isScored).length,
      failed: own.reduce((sum, { score }) => sum + score.failed, 0),
      metrics: meanMetrics(own),
    };
  });
}

/** The mean over latents of each of their metrics; a latent whose metric is not defined is left out. */
export function meanMetrics(latents: readonly ScoredLatent[]): Record<string, Estimate> {
  const scored = latents.filter(isScored);
  const names = [...new Set(scored.flatMap(({ score }) => Object.keys(score.metrics)))];
  return Object.fromEntries(names.map((name) => {
    const values = scored.flatMap(({ score }) => score.metrics[name]?.value ?? []);
    return [name, meanEstimate(values)];
  }));
}

/**
 * The metrics of all rows of all latents together, with the interval of a bootstrap of latents;
 * undefined for a scorer that does not predict.
 */
export function pooledMetrics(
  latents: readonly ScoredLatent[],
): Record<keyof ConfusionMetrics, Estimate> | undefined {
  const counts = latents.filter(isScored).flatMap(({ score }) => score.counts ?? []);
  return counts.length === 0 ? undefined : confusionEstimates(counts);
}

/**
 * F1 of latents weighted by how often they fire, averaged over hookpoints, as delphi has it; NaN where no
 * latent of a hookpoint fires.
 */
export function frequencyWeightedF1(latents: readonly ScoredLatent[]): number {
  const scored = latents.filter((latent) => isScored(latent) && latent.score.metrics.f1_score);
  const hookpoints = [...new Set(scored.map(({ latent }) => latent.hookpoint))];
  const means = hookpoints.map((hookpoint) => {
    const own = scored.filter(({ latent }) => latent.hookpoint === hookpoint);
    return weightedMean(
      own.map(({ score }) => score.metrics.f1_score.value),
      own.map(({ firedTokens }) => firedTokens),
    );
  });
  return mean(means);
}

/** Columns of `scores/average_scores.csv`. */
const AVERAGED = ["accuracy", "f1_score", "precision", "recall"] as const;

/** `scores/average_scores.csv`: a row per language and scorer that predicts, means to 3 decimals. */
export function averageScores(
  scorers: Readonly<Record<string, readonly ScoredLatent[]>>,
): Record<string, (string | number)[]> {
  const rows = Object.entries(scorers)
    .flatMap(([scorer, latents]) =>
      languageScores(latents).filter(({ metrics }) => metrics.f1_score)
        .map((score) => ({ scorer, ...score }))
    )
    .sort((a, b) => compare(a.language, b.language) || compare(a.scorer, b.scorer));
  return {
    Language: rows.map(({ language }) => language),
    "Score Type": rows.map(({ scorer }) => scorer),
    ...Object.fromEntries(AVERAGED.map((name) => [
      name,
      rows.map(({ metrics }) => roundHalfToEven(metrics[name].value * 1000) / 1000),
    ])),
  };
}

function isScored({ score }: ScoredLatent): boolean {
  return score.scored > 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : +(a > b);
}
