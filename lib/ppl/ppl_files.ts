/** What `ppl` writes: perplexities in the form of spec 8.2, the change matrix, the effects. */
import { join } from "node:path";
import { writeAtomic } from "../data/files.ts";
import { writeManifest } from "../data/manifest.ts";
import { type Columns, writeTable } from "../data/tables.ts";
import {
  corpusRatio,
  diagonalDominance,
  type Impacted,
  meanChange,
  type Scores,
} from "../steer/effects.ts";
import {
  corpusPerplexity,
  meanPerplexity,
  medianPerplexity,
  perplexity,
  type TextScore,
} from "../steer/perplexity.ts";
import type { Perplexities } from "./ppl.ts";
import type { LanguageIntervention } from "../steer/language_interventions.ts";
import type { Measured } from "./ppl_scores.ts";
import type { LanguageTexts } from "./ppl_texts.ts";

/**
 * Writes `normal.json`, and of interventions `<code>.json`, `control_<n>/<code>.json`, the change matrix
 * as a table and `effects.json`.
 *
 * @throws InputError when a file cannot be written
 */
export async function writePerplexities(
  folder: string,
  { languages, interventions: asked, measured, effects }: Perplexities,
): Promise<void> {
  const { impacted, interventions } = measured;
  const write = (name: string, scores: Scores) =>
    writeAtomic(join(folder, `${name}.json`), `${JSON.stringify(byName(languages, scores))}\n`);
  await write("normal", impacted.map(({ normal }) => normal));
  for (const [i, { scores, controls }] of interventions.entries()) {
    const { code } = asked[i];
    await write(code, scores);
    for (const [draw, control] of controls.entries()) {
      await write(join(`control_${draw + 1}`, code), control);
    }
  }
  if (!effects) return;
  await writeTable(join(folder, "change_matrix"), matrixColumns(languages, asked, measured));
  await writeManifest(join(folder, "effects.json"), {
    unit:
      "nats per token: change of the mean negative log-likelihood over all tokens of a language",
    interval: "95 %, percentile bootstrap over documents",
    languages: asked.map(({ code, name, features }, i) => ({
      ...{ code, language: name, features },
      ...effects.each[i],
    })),
    mean: effects.mean,
    diagonal_dominance: diagonalDominance(impacted, interventions),
  });
}

/** Perplexities by the qualified name of the texts' language. */
function byName(languages: readonly LanguageTexts[], scores: Scores) {
  return Object.fromEntries(
    languages.map(({ language }, j) => [language.name, summary(scores[j])]),
  );
}

function summary(scores: readonly TextScore[]) {
  return {
    perplexities: scores.map(perplexity),
    mean_perplexity: meanPerplexity(scores),
    median_perplexity: medianPerplexity(scores),
    corpus_perplexity: corpusPerplexity(scores),
  };
}

/** One row per intervention (0: the language's features; else the number of a control) and language. */
function matrixColumns(
  languages: readonly LanguageTexts[],
  asked: readonly LanguageIntervention[],
  { impacted, interventions }: Measured,
): Columns {
  const rows = interventions.flatMap(({ own, scores, controls }, i) =>
    [scores, ...controls].flatMap((row, control) =>
      row.map((changed, j) => ({
        intervened: asked[i].code,
        impacted: languages[j].language.code,
        control,
        own: Number(j === own),
        ...change(impacted[j], changed),
      }))
    )
  );
  const names = [
    "intervened",
    "impacted",
    "control",
    "own",
    "mean_change",
    "corpus_ratio",
  ] as const;
  return Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name])]));
}

function change({ normal }: Impacted, changed: readonly TextScore[]) {
  return { mean_change: meanChange(normal, changed), corpus_ratio: corpusRatio(normal, changed) };
}
