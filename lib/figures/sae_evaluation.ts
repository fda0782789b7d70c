/** How good SAEs are, language by language. */
import type { Figure } from "./figure.ts";
import { figureOf, slug } from "./kinds.ts";

/** What was measured of one SAE on the texts of one language, by name. */
export interface SaeMeasures {
  readonly hookpoint: string;
  readonly language: string;
  readonly measures: Readonly<Record<string, number | null>>;
}

/** Measures that there are figures of. */
export interface MeasureWords {
  /** Name in the measures. */
  readonly measure: string;
  readonly title: string;
  readonly see: string;
}

/**
 * A matrix of hookpoints and languages for each measure.
 *
 * @param name tells evaluations of one folder of results apart
 */
export function evaluationFigures(
  saes: readonly SaeMeasures[],
  measures: readonly MeasureWords[],
  name = "",
): Figure[] {
  const hookpoints = [...new Set(saes.map(({ hookpoint }) => hookpoint))];
  const languages = [...new Set(saes.map(({ language }) => language))];
  return measures.flatMap(({ measure, title, see }) => {
    const rows = saes.flatMap(({ hookpoint, language, measures }) => {
      const value = measures[measure];
      return typeof value === "number" ? [{ hookpoint, language, [measure]: value }] : [];
    });
    if (rows.length === 0) return [];
    const values = rows.map((row) => Number(row[measure]));
    const low = Math.min(0, ...values);
    return [figureOf(
      "matrix",
      {
        id: slug(`evaluation ${measure} ${name}`),
        group: "Evaluation",
        title: name === "" ? title : `${title} (${name})`,
        see,
      },
      {
        x: "hookpoint",
        y: "language",
        columns: hookpoints,
        rows: languages,
        xTitle: "SAE",
        yTitle: "texts",
        value: measure,
        valueTitle: title,
        domain: [low, Math.max(low + 1e-9, ...values)],
        scale: "sequential",
        labels: "fixed2",
      },
      rows,
    )];
  });
}
