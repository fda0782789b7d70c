/** What `ppl` prints. */
import { table } from "../cli/table.ts";
import {
  corpusRatio,
  diagonalDominance,
  type Effect,
  type Effects,
  type Estimate,
  meanChange,
} from "../steer/effects.ts";
import {
  corpusPerplexity,
  meanPerplexity,
  medianPerplexity,
  type TextScore,
} from "../steer/perplexity.ts";
import type { Perplexities } from "./ppl.ts";

/** Perplexities of the model as it is, one line per language. */
export function normalTable({ languages, measured }: Perplexities): string {
  const { impacted } = measured;
  return numbers(
    ["language", "texts", "tokens", "mean", "median", "corpus perplexity"],
    impacted.map(({ normal }, j) => [
      languages[j].language.name,
      normal.length.toLocaleString("en"),
      normal.reduce((sum, { tokens }) => sum + tokens, 0).toLocaleString("en"),
      ...[meanPerplexity, medianPerplexity, corpusPerplexity].map((of) => short(of(normal))),
    ]),
  );
}

/** The change matrices: of mean perplexities as published, and of corpus perplexities as a factor. */
export function matrixTables(found: Perplexities): string {
  return [
    "Change of the mean perplexity (rows: features of; columns: texts in):",
    matrix(found, meanChange),
    "",
    "Corpus perplexity as a multiple of what it was:",
    matrix(found, corpusRatio),
  ].join("\n");
}

function matrix(
  { languages, interventions: asked, measured }: Perplexities,
  change: (normal: readonly TextScore[], changed: readonly TextScore[]) => number,
): string {
  const { impacted, interventions } = measured;
  return numbers(
    ["", ...languages.map(({ language }) => language.code)],
    interventions.map(({ scores }, i) => [
      asked[i].code,
      ...scores.map((changed, j) => short(change(impacted[j].normal, changed))),
    ]),
  );
}

/** Own language against the others, beside the controls. */
export function effectsTable(
  { interventions: asked, measured }: Perplexities,
  { each, mean }: Effects,
): string {
  const { impacted, interventions } = measured;
  const controlled = interventions.some(({ controls }) => controls.length > 0);
  const columns = ["features of", "features", "own language", "the others"];
  const row = (name: string, features: string, effect: Effect) => [
    ...[name, features, estimate(effect.own), estimate(effect.others)],
    ...(controlled ? [estimate(effect.control_own), estimate(effect.control_others)] : []),
  ];
  const { largest, smallest, of } = diagonalDominance(impacted, interventions);
  return [
    "Change of -ln p per token, in nats, with 95 % intervals over documents:",
    numbers(
      [...columns, ...(controlled ? ["own, random features", "others, random features"] : [])],
      [
        ...asked.map(({ name, features }, i) => row(name, String(features), each[i])),
        row("mean", "", mean),
      ],
    ),
    "",
    `The own language loses most in ${largest} of ${of} languages, and least in ${smallest}.`,
  ].join("\n");
}

function estimate(value: Estimate | null): string {
  if (!value) return "";
  const { mean, low, high } = value;
  const interval = low === null || high === null ? "" : ` [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  return `${mean.toFixed(3)}${interval}`;
}

/** Two decimals, as published; powers of ten where those would not be read. */
function short(value: number): string {
  return Math.abs(value) < 1e5 ? value.toFixed(2) : value.toExponential(1);
}

/** A table whose columns but the first are numbers. */
function numbers(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  return table(
    headers.map((header, i) => ({ header, align: i === 0 ? "left" : "right" })),
    rows,
  );
}
