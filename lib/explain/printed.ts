/** What the step says at its end. */
import { table } from "../cli/table.ts";
import type { ControlName } from "../interpret/metrics/controls.ts";
import type { Estimate } from "../interpret/metrics/latent_score.ts";
import type { PlannedPart } from "./planned_prompts.ts";
import type { Failures } from "../interpret/results/failures.ts";
import type { ScorerSummary, Summary } from "../interpret/results/summary.ts";

/** Scores beside those of controls, then per language; NaN is shown as a dash. */
export function summaryTables({ scorers }: Summary): string {
  const controls = (["random", "shuffled"] as const)
    .filter((name) => scorers.some((scorer) => scorer.controls[name]));
  const overall = table(
    ["scorer", "latents", "metric", "score", ...controls.flatMap(headersOf), "missing"]
      .map((header, i) => ({ header, align: i === 0 || i === 2 ? "left" : "right" })),
    scorers.map((scorer) => [
      scorer.scorer,
      `${scorer.latents}`,
      scorer.main.replaceAll("_", " "),
      withInterval(scorer.metrics[scorer.main]),
      ...controls.flatMap((name) => cellsOf(scorer, name)),
      `${scorer.failed} of ${scorer.predictions + scorer.failed}`,
    ]),
  );
  return [overall, ...scorers.length > 0 ? [languageTable(scorers)] : []].join("\n\n");
}

function headersOf(name: ControlName): string[] {
  return [name === "random" ? "random latents" : "shuffled explanations", "difference"];
}

function cellsOf({ controls }: ScorerSummary, name: ControlName): string[] {
  const compared = controls[name];
  return [withInterval(compared?.control), withInterval(compared?.difference)];
}

function languageTable(scorers: readonly ScorerSummary[]): string {
  const languages = [
    ...new Set(scorers.flatMap(({ languages }) => languages.map(({ language }) => language))),
  ];
  const columns = [
    "language",
    "latents",
    ...scorers.map(({ scorer, main }) => `${scorer} ${main}`),
  ];
  return table(
    columns.map((header, i) => ({
      header: header.replaceAll("_", " "),
      align: i === 0 ? "left" : "right",
    })),
    languages.map((name) => {
      const own = scorers.map(({ main, languages }) => ({
        main,
        found: languages.find(({ language }) => language === name),
      }));
      return [
        name,
        `${Math.max(...own.map(({ found }) => found?.latents ?? 0))}`,
        ...own.map(({ main, found }) => withInterval(found?.metrics[main])),
      ];
    }),
  );
}

/** `0.812 [0.760, 0.864]`. */
function withInterval(estimate: Estimate | undefined): string {
  if (!estimate || Number.isNaN(estimate.value)) return "–";
  const { value, low, high } = estimate;
  if (Number.isNaN(low)) return value.toFixed(3);
  return `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}

/** What is missing, a sentence per kind; none where nothing is. */
export function missing(failures: Failures): string[] {
  const { silent, skipped, unexplained, marked, unscored } = failures;
  const latents = (count: number) => count === 1 ? "1 latent" : `${count} latents`;
  const kinds: [number, string][] = [
    [silent.length, `${latents(silent.length)} without a firing in the texts.`],
    [
      skipped.length,
      `${latents(skipped.length)} skipped for firing in too few windows (--min-examples).`,
    ],
    [
      unexplained.length,
      `${latents(unexplained.length)} without an explanation, as nobody answered.`,
    ],
    [
      marked.length,
      `${latents(marked.length)} with an explanation that is of no use, marked as such.`,
    ],
    [unscored.length, `${latents(unscored.length)} (once per score) without some predictions.`],
  ];
  return kinds.filter(([count]) => count > 0).map(([, sentence]) => sentence);
}

/** What a run would take. */
export function planTable(parts: readonly PlannedPart[]): string {
  const columns = [
    "part",
    "of",
    "latents",
    "questions",
    "tokens asked",
    "answered at most",
    "dollars",
  ];
  const sum = (of: (part: PlannedPart) => number) => parts.reduce((all, part) => all + of(part), 0);
  const all: PlannedPart = {
    part: "all",
    group: "identified",
    latents: 0,
    questions: sum(({ questions }) => questions),
    prompt_tokens: sum(({ prompt_tokens }) => prompt_tokens),
    completion_tokens: sum(({ completion_tokens }) => completion_tokens),
    dollars: parts.some(({ dollars }) => dollars === null)
      ? null
      : sum(({ dollars }) => dollars ?? 0),
  };
  return table(
    columns.map((header, i) => ({ header, align: i < 2 ? "left" : "right" })),
    [...parts, all].map((part) => [
      part.part,
      part === all ? "" : part.group,
      part === all ? "" : `${part.latents}`,
      part.questions.toLocaleString("en"),
      part.prompt_tokens.toLocaleString("en"),
      part.completion_tokens.toLocaleString("en"),
      part.dollars === null ? "–" : part.dollars.toFixed(2),
    ]),
  );
}
