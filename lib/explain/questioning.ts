/** All questions of a run: explanations first, then their scores, group by group. */
import { progress } from "../cli/progress.ts";
import type { UseReport } from "../llm/endpoint_use.ts";
import type { Explainer } from "../interpret/explainers/explainer.ts";
import { openScorer, type Scorer, type ScorerOptions } from "../interpret/scorers/open_scorer.ts";
import { borrowedFrom, ownExplanations } from "./scored_explanations.ts";
import { explainLatents, type LoadExamples, storedExplanations } from "./explain_latents.ts";
import type { Finished } from "./finished.ts";
import type { InterpretOptions } from "./options.ts";
import { type Judges, type Scorable, scoreLatents } from "./score_latents.ts";
import { controlsOf } from "./settings.ts";
import type {
  Explained,
  LatentInGroup,
  Scored,
  SelectedLatents,
} from "../interpret/results/found.ts";

/** What asking takes. */
export interface Questioning {
  readonly options: InterpretOptions;
  readonly folder: string;
  /** Undefined: explanations that are there are taken. */
  readonly explainer: Explainer | undefined;
  readonly scorers: ScorerOptions;
  readonly judges: Judges;
  readonly finished: Finished;
  readonly load: LoadExamples;
  /** Ends the run, with what is asked already. */
  readonly signal: AbortSignal;
  /** What was asked so far; for those who watch. */
  use(): UseReport | undefined;
}

/** Latents of both groups that are explained, identified ones first. */
export function latentsInGroups({ identified, random }: SelectedLatents): LatentInGroup[] {
  return [
    ...identified.map((latent) => ({ latent, group: "identified" as const })),
    ...random.map((latent) => ({ latent, group: "random" as const })),
  ];
}

/**
 * Explains latents, or takes the explanations that are there.
 *
 * @throws Interrupted at Ctrl-C, when what was asked is answered
 * @throws InputError when nothing can be asked, or files cannot be written
 */
export async function explainAll(
  selected: SelectedLatents,
  questioning: Questioning,
): Promise<Explained[]> {
  const { options, folder, explainer, judges, finished, load, signal } = questioning;
  const latents = latentsInGroups(selected);
  if (!explainer) return await storedExplanations(latents, folder, finished);
  const watched = watch("explaining", latents.length, "latents", questioning);
  const { asking, chatModel: model } = judges;
  const atATime = options.concurrency;
  return await explainLatents(
    latents,
    { folder, explainer, asking, model, finished, load, signal, atATime },
    watched.done,
  ).finally(watched.end);
}

/** Explanations of one group, with the scorer that judges them. */
export interface ScoringJob {
  readonly scorer: Scorer;
  readonly scorables: readonly Scorable[];
}

/**
 * What is scored by whom: each scorer judges identified latents, then the controls. Every job has a
 * scorer of its own, since the order of questions may depend on all before (B.7).
 */
export function scoringJobs(
  explained: readonly Explained[],
  options: InterpretOptions,
  scorerOptions: ScorerOptions,
): ScoringJob[] {
  const own = ownExplanations(explained, options.compat);
  const identified = own.filter(({ group }) => group === "identified");
  const random = own.filter(({ group }) => group === "random");
  const borrowed = controlsOf(options).includes("shuffled") ? borrowedFrom(identified) : [];
  return [...new Set(options.scorers)].flatMap((name) =>
    [identified, random, borrowed].map((scorables) => ({
      scorer: openScorer(name, scorerOptions),
      scorables,
    })).filter(({ scorer, scorables }) =>
      scorables.length > 0 && (scorables !== borrowed || scorer.usesExplanation)
    )
  );
}

/**
 * Scores all explanations.
 *
 * @throws as {@linkcode explainAll}
 */
export async function scoreAll(
  explained: readonly Explained[],
  questioning: Questioning,
): Promise<Scored[]> {
  const { options, folder, judges, finished, load, signal } = questioning;
  const jobs = scoringJobs(explained, options, questioning.scorers);
  const total = jobs.reduce((sum, { scorables }) => sum + scorables.length, 0);
  const watched = watch("scoring", total, "scores", questioning);
  const anew = options.overwrite.includes("scores");
  const scoring = { folder, judges, finished, load, signal, anew, atATime: options.concurrency };
  const scored: Scored[] = [];
  try {
    for (const { scorer, scorables } of jobs) {
      scored.push(...await scoreLatents(scorables, scorer, scoring, watched.done));
    }
  } finally {
    watched.end();
  }
  return scored;
}

/** Shows how many are done, and what was asked for them. */
function watch(label: string, total: number, unit: string, { use }: Questioning) {
  const shown = progress({ label, total, unit });
  let count = 0;
  return {
    done: () => shown.update(++count, spent(use())),
    end: () => shown.done(),
  };
}

function spent(use: UseReport | undefined): string {
  if (!use) return "";
  const { sent, cached, dollars } = use;
  const cost = dollars ? `, $${dollars.toFixed(2)}` : "";
  return `${sent.toLocaleString("en")} requests${cost}${cached > 0 ? `, ${cached} known` : ""}`;
}
