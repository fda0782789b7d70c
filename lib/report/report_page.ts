/** Everything that report.html can show; what the results do not have is left out. */
import type { Figure } from "../figures/figure.ts";
import type { Claim } from "../summary/claims.ts";
import type { Estimate, Findings } from "../summary/findings.ts";
import type { ReportData } from "./report_data.ts";

/** A figure, and its drawing for readers without scripts and for paper. */
export interface DrawnFigure {
  readonly figure: Figure;
  /** An SVG element as text; its text is escaped. */
  readonly svg: string;
}

/** How far one language's features are found again in other texts; NaN where nothing can be compared. */
export interface Refound {
  /** "all" for all languages together. */
  readonly language: string;
  /** Features found in the first texts, in the second, in both. */
  readonly first: number;
  readonly second: number;
  readonly both: number;
  /** Features in both over features in either. */
  readonly jaccard: number;
  /** Spearman's rank correlation of the entropies. */
  readonly correlation: number;
}

/** A replication in other texts. */
export interface ReplicationResult {
  /** The other texts, as they were named. */
  readonly corpus: string;
  readonly languages: readonly Refound[];
}

/** What an SAE explains of activations and of the model's predictions, over all texts. */
export interface EvaluatedSae {
  readonly hookpoint: string;
  /** Values by the names that evaluation.json gives them. */
  readonly values: Readonly<Record<string, number | null>>;
}

/** A score of one explanation by the metric that its scorer is judged by. */
export interface ExplanationScore extends Estimate {
  readonly scorer: string;
  /** E.g. `accuracy`. */
  readonly metric: string;
}

/** A latent with what a language model said of it. */
export interface ExplainedFeature {
  readonly layer: number;
  readonly index: number;
  /** Languages it belongs to; none of a control. */
  readonly languages: readonly string[];
  /** Drawn at random, to compare with. */
  readonly random: boolean;
  /** null where there is none. */
  readonly explanation: string | null;
  /** What is wrong with it. */
  readonly problem: string | null;
  readonly scores: readonly ExplanationScore[];
}

/** What explanations are worth by one scorer, over all latents, beside the controls. */
export interface ScorerResult {
  readonly scorer: string;
  readonly metric: string;
  readonly latents: number;
  /** Answers that are missing, of all. */
  readonly failed: number;
  readonly predictions: number;
  readonly mean: Estimate;
  /** By the name of the control: its mean, and by how much it is below that of the features. */
  readonly controls: Readonly<
    Record<string, { readonly control: Estimate; readonly difference: Estimate }>
  >;
}

/** What one run of `interpret` left. */
export interface ExplanationRun {
  /** The language model, if it is known. */
  readonly model: string | undefined;
  /** False where a budget was spent before all was done. */
  readonly complete: boolean;
  readonly features: readonly ExplainedFeature[];
  readonly scorers: readonly ScorerResult[];
}

/** A run of a step whose results are on the page. */
export interface RunRecord {
  /** Path of its run.json below the folder. */
  readonly path: string;
  readonly step: string;
  readonly started: string;
  readonly seconds: number;
  /** Options, adapter, code and versions of its run.json, which has more, as [name, value]. */
  readonly entries: readonly (readonly [name: string, value: string])[];
}

/** Everything on the page. */
export interface ReportPage {
  /** Heading of a page without an identification. */
  readonly title: string;
  /** What such a page shows, in a sentence. */
  readonly summary: string;
  /** Folder of the results, as it is called. */
  readonly folder: string;
  readonly identification?: ReportData;
  readonly claims: readonly Claim[];
  readonly findings?: Findings;
  readonly replication?: ReplicationResult;
  readonly evaluation: readonly EvaluatedSae[];
  readonly explanations: readonly ExplanationRun[];
  readonly figures: readonly DrawnFigure[];
  readonly runs: readonly RunRecord[];
}

/** What makes a page answer its reader; a page without it can only be read. */
export interface PageScript {
  /** JavaScript. */
  readonly code: string;
  /** The page's figures as {@link packFigures} writes them. */
  readonly figures: string;
}
