/** What all scores come to: per language, over all latents, and beside the controls. */
import {
  againstRandom,
  againstShuffled,
  type ControlComparison,
  type ControlName,
  CONTROLS,
} from "../metrics/controls.ts";
import {
  frequencyWeightedF1,
  languageScores,
  meanMetrics,
  pooledMetrics,
  type ScoredLatent,
} from "../metrics/language_scores.ts";
import type { Estimate } from "../metrics/latent_score.ts";
import type { Group } from "./result_files.ts";
import type { Scored } from "./found.ts";

/** `summary.json`; numbers that are not defined are null there. */
export interface Summary {
  readonly scorers: readonly ScorerSummary[];
}

/** Of one scorer. */
export interface ScorerSummary {
  readonly scorer: string;
  /** The metric that the scorer is judged by, and that controls are compared in. */
  readonly main: string;
  /** Identified latents with a score. */
  readonly latents: number;
  /** Predictions, and those that are missing, over all identified latents. */
  readonly predictions: number;
  readonly failed: number;
  /** Means over identified latents. */
  readonly metrics: Readonly<Record<string, Estimate>>;
  /** Of all rows together; null for a scorer that does not predict. */
  readonly pooled: Readonly<Record<string, Estimate>> | null;
  /** F1 weighted by how often latents fire, averaged over hookpoints. */
  readonly frequency_weighted_f1: number | null;
  readonly controls: Readonly<Partial<Record<ControlName, ComparedControl>>>;
  readonly languages: readonly LanguageSummary[];
}

/** A control beside the identified latents, in the main metric. */
export interface ComparedControl extends ControlComparison {
  /** Latents of the control. */
  readonly latents: number;
}

export interface LanguageSummary {
  readonly language: string;
  readonly latents: number;
  readonly failed: number;
  readonly metrics: Readonly<Record<string, Estimate>>;
}

/** A latent of any group with its score by one scorer. */
export interface GroupedScore extends ScoredLatent {
  readonly group: Group;
}

/**
 * Sums scores up.
 *
 * @param scored of all groups and scorers, in the order of the scorers
 * @param firedTokens of a latent
 */
export function summarise(
  scored: readonly Scored[],
  firedTokens: (latent: ScoredLatent["latent"]) => number,
): Summary {
  const names = [...new Set(scored.map(({ scorer }) => scorer))];
  return {
    scorers: names.map((name) => {
      const own = scored.filter(({ scorer }) => scorer === name);
      return scorerSummary(name, groupedScores(own, firedTokens));
    }),
  };
}

/** Scores as metrics take them; latents without one are left out. */
export function groupedScores(
  scored: readonly Scored[],
  firedTokens: (latent: ScoredLatent["latent"]) => number,
): GroupedScore[] {
  return scored.flatMap(({ latent, group, score }) =>
    score
      ? [{ group, latent, languages: latent.languages, firedTokens: firedTokens(latent), score }]
      : []
  );
}

function scorerSummary(scorer: string, scores: readonly GroupedScore[]): ScorerSummary {
  const identified = scores.filter(({ group }) => group === "identified");
  const main = scores[0]?.score.main ?? "accuracy";
  const weighted = frequencyWeightedF1(identified);
  const controls = CONTROLS.flatMap((name) => {
    const own = scores.filter(({ group }) => group === name);
    return own.length === 0 ? [] : [[name, compared(name, identified, own, main)] as const];
  });
  return {
    scorer,
    main,
    latents: identified.filter(({ score }) => score.scored > 0).length,
    predictions: identified.reduce((sum, { score }) => sum + score.scored, 0),
    failed: identified.reduce((sum, { score }) => sum + score.failed, 0),
    metrics: meanMetrics(identified),
    pooled: pooledMetrics(identified) ?? null,
    frequency_weighted_f1: Number.isNaN(weighted) ? null : weighted,
    controls: Object.fromEntries(controls),
    languages: languageScores(identified),
  };
}

function compared(
  name: ControlName,
  identified: readonly GroupedScore[],
  control: readonly GroupedScore[],
  main: string,
): ComparedControl {
  const valueOf = ({ score }: GroupedScore) =>
    score.scored > 0 ? score.metrics[main]?.value ?? NaN : NaN;
  const values = identified.map(valueOf);
  const comparison = name === "random"
    ? againstRandom(values, control.map(valueOf))
    : againstShuffled(
      control.flatMap((borrowed) => {
        const own = identified.find(({ latent }) => isSame(latent, borrowed.latent));
        return own ? [[valueOf(own), valueOf(borrowed)] as const] : [];
      }),
    );
  return { latents: control.filter(({ score }) => score.scored > 0).length, ...comparison };
}

function isSame(a: ScoredLatent["latent"], b: ScoredLatent["latent"]): boolean {
  return a.hookpoint === b.hookpoint && a.index === b.index;
}
