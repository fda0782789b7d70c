/** Figures of the texts that `generate` let the model write, judged by a language identifier. */
import { join } from "node:path";
import { openIdentifier } from "../../classify/identifiers.ts";
import type { Figure } from "../../figures/figure.ts";
import { outcomesFigure, steeredTextsFigure, type StrengthTexts } from "../../figures/steering.ts";
import { wilson } from "../../stats/proportion.ts";
import { rowsOf } from "./result_folder.ts";

/** Who says what language a text is in; needs no download. */
const JUDGE = "eld";

/**
 * How many texts are in the language that they were steered to, by strength; those without steering are
 * the strength 0 of all.
 *
 * @throws InputError for a file that is damaged
 */
export async function steeredTextFigures(folder: string): Promise<Figure[]> {
  const path = join(folder, "text_generation", "generations.parquet");
  const rows = await rowsOf(path, ["language", "multiplier", "control", "text"]);
  const languages = [...new Set(rows.map(({ language }) => String(language ?? "")))]
    .filter((language) => language !== "").sort();
  if (languages.length === 0) return [];
  const identify = await openIdentifier(JUDGE);
  const texts = rows.map((row) => ({
    language: String(row.language ?? ""),
    multiplier: Number(row.multiplier),
    control: Number(row.control) > 0,
    judged: identify(String(row.text ?? "")).at(0)?.language,
  }));
  const plain = texts.filter(({ language }) => language === "");
  const measured = languages.flatMap((language): StrengthTexts[] => {
    const own = Map.groupBy(
      texts.filter((text) => text.language === language),
      ({ multiplier, control }) => JSON.stringify([multiplier, control]),
    );
    const strengths = [...own].map(([key, same]) => {
      const [multiplier, control]: [number, boolean] = JSON.parse(key);
      return strength({ language, multiplier, control }, same);
    });
    const unsteered = { language, multiplier: 0, control: false };
    return plain.length > 0 ? [strength(unsteered, plain), ...strengths] : strengths;
  });
  return [steeredTextsFigure(measured, languages), outcomesFigure(measured, languages)];
}

function strength(
  kind: Pick<StrengthTexts, "language" | "multiplier" | "control">,
  texts: readonly { judged?: string }[],
): StrengthTexts {
  const hits = texts.filter(({ judged }) => judged === kind.language).length;
  return { ...kind, hits, texts: texts.length, interval: wilson(hits, texts.length) };
}
