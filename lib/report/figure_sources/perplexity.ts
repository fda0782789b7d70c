/** Figures of what `ppl` measured. */
import { join } from "node:path";
import { z } from "zod";
import { isLanguage, languageOf } from "../../data/languages.ts";
import type { Figure } from "../../figures/figure.ts";
import {
  changeMatrixFigures,
  effectsFigure,
  type Estimate,
  type LanguageEffect,
} from "../../figures/perplexity_change.ts";
import { type StrengthEffect, strengthFigure } from "../../figures/steering.ts";
import { foldersWith, jsonOf, rowsOf } from "./result_folder.ts";

const Measured = z.looseObject({
  mean: z.number(),
  low: z.number().nullable(),
  high: z.number().nullable(),
}).transform(({ mean, low, high }): Estimate => ({
  value: mean,
  ...low !== null && high !== null && { low, high },
})).nullable();

const Effects = z.looseObject({
  languages: z.array(z.looseObject({
    language: z.string(),
    own: Measured,
    others: Measured,
    control_own: Measured,
    control_others: Measured,
  })),
});

const COLUMNS = ["intervened", "impacted", "control", "mean_change", "corpus_ratio"];

/**
 * Change matrices and effects of every intervention, and effects by strength of those that were tried
 * with several.
 *
 * @throws InputError for files that are damaged
 */
export async function perplexityFigures(folder: string): Promise<Figure[]> {
  const ppl = join(folder, "ppl");
  const figures: Figure[] = [];
  const byKind = new Map<string, StrengthEffect[]>();
  for (const name of await foldersWith(ppl, "change_matrix.parquet")) {
    const changes = (await rowsOf(join(ppl, name, "change_matrix.parquet"), COLUMNS))
      .filter(({ control }) => control === 0)
      .map((row) => ({
        intervened: nameOf(String(row.intervened)),
        impacted: nameOf(String(row.impacted)),
        meanChange: Number(row.mean_change ?? NaN),
        corpusRatio: Number(row.corpus_ratio ?? NaN),
      }));
    const languages = [...new Set(changes.flatMap((one) => [one.intervened, one.impacted]))].sort();
    figures.push(...changeMatrixFigures(changes, name, languages));
    const effects = await readEffects(join(ppl, name, "effects.json"));
    if (effects.length > 0) figures.push(effectsFigure(effects, name));
    const [, kind, multiplier] = /^(.*)_(-?[\d.]+)$/.exec(name) ?? [];
    if (kind === undefined) continue;
    const strengths = effects.map(({ language, own, others }) => ({
      language,
      multiplier: Number(multiplier),
      own: own.value,
      others: others.value,
    }));
    byKind.set(kind, [...byKind.get(kind) ?? [], ...strengths]);
  }
  for (const [kind, effects] of byKind) {
    if (new Set(effects.map(({ multiplier }) => multiplier)).size < 2) continue;
    const languages = [...new Set(effects.map(({ language }) => language))];
    figures.push(strengthFigure(effects, languages.sort(), kind));
  }
  return figures;
}

async function readEffects(path: string): Promise<LanguageEffect[]> {
  const effects = await jsonOf(path, Effects);
  return (effects?.languages ?? []).flatMap((measured) => {
    const { language, own, others, control_own, control_others } = measured;
    if (!own || !others) return [];
    return [{
      language,
      own,
      others,
      controlOwn: control_own ?? undefined,
      controlOthers: control_others ?? undefined,
    }];
  }).sort((a, b) => a.language < b.language ? -1 : 1);
}

function nameOf(code: string): string {
  return isLanguage(code) ? languageOf(code).name : code;
}
