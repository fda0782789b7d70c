/** How well classifiers tell languages apart. */
import type { Figure } from "./figure.ts";
import { figureOf, slug } from "./kinds.ts";
import type { Interval } from "../stats/bootstrap.ts";

/** One classifier on held-out texts, class by class. */
export interface ClassifierResult {
  /** E.g. `sae-count`. */
  readonly name: string;
  /** Languages, in the order of what follows. */
  readonly classes: readonly string[];
  readonly precision: readonly number[];
  readonly recall: readonly number[];
  readonly f1: readonly number[];
  /** `[true][predicted]` */
  readonly confusion: readonly (readonly number[])[];
  readonly accuracy: number;
  readonly accuracyInterval?: Interval;
  readonly f1Macro: number;
  readonly f1MacroInterval?: Interval;
}

const GROUP = "Classification";
const METRICS = { precision: "precision", recall: "recall", F1: "f1" } as const;
const METRIC_NAMES = Object.keys(METRICS);
/** The paper's radars begin here. */
const RADAR = [0.4, 1] as const;

/** All classifiers in one drawing: accuracy and macro F1 with their intervals, the best on top. */
export function classifierFigure(results: readonly ClassifierResult[]): Figure {
  const best = results.toSorted((a, b) => b.f1Macro - a.f1Macro);
  const rows = best.flatMap((result) => {
    const row = (metric: string, value: number, interval?: Interval) => ({
      classifier: result.name,
      metric,
      value,
      low: interval?.low ?? null,
      high: interval?.high ?? null,
    });
    return [
      row("accuracy", result.accuracy, result.accuracyInterval),
      row("macro F1", result.f1Macro, result.f1MacroInterval),
    ];
  });
  const lowest = Math.min(0.9, ...rows.map(({ value, low }) => low ?? value));
  return figureOf(
    "dots",
    {
      id: "classifiers",
      group: GROUP,
      title: "Classifiers compared",
      see: best.length === 0
        ? "No classifier was tried."
        : `${best[0].name} tells languages apart best, with a macro F1 of ` +
          `${best[0].f1Macro.toFixed(3)}; where intervals overlap, texts are too few to say.`,
    },
    {
      category: "classifier",
      categories: best.map(({ name }) => name),
      value: "value",
      low: "low",
      high: "high",
      valueTitle: "score (95 % intervals)",
      series: "metric",
      seriesNames: ["accuracy", "macro F1"],
      domain: [Math.floor(20 * lowest) / 20, 1],
    },
    rows,
  );
}

/** F1 of every classifier and language as a matrix, the best classifier on top. */
export function classifierMatrixFigure(results: readonly ClassifierResult[]): Figure {
  const { rows, languages } = perClass(results);
  const f1 = rows.filter(({ metric }) => metric === "F1")
    .map(({ language, classifier, value }) => ({ language, classifier, f1: value }));
  return figureOf(
    "matrix",
    {
      id: "classifiers-and-languages",
      group: GROUP,
      title: "F1 of every classifier and language",
      see: "Cells without strong colour are languages that a classifier does not know well.",
    },
    {
      x: "language",
      y: "classifier",
      columns: languages,
      rows: results.toSorted((a, b) => b.f1Macro - a.f1Macro).map(({ name }) => name),
      xTitle: "",
      yTitle: "",
      value: "f1",
      valueTitle: "F1",
      domain: [0, 1],
      scale: "sequential",
      labels: "fixed2",
    },
    f1,
  );
}

/** Precision, recall and F1 of each language in polar drawings, as published. */
export function classifierRadarFigure(results: readonly ClassifierResult[]): Figure {
  const { rows, languages } = perClass(results);
  return figureOf(
    "radar",
    {
      id: "classifiers-by-language",
      group: GROUP,
      title: "Classifiers by language",
      see:
        "A line that keeps to the rim is a classifier that knows every language; where it dips, it " +
        "fails. The middle is 0.4 or less.",
    },
    {
      ray: "language",
      rays: languages,
      value: "value",
      series: "classifier",
      seriesNames: results.map(({ name }) => name),
      panel: "metric",
      panels: METRIC_NAMES,
      domain: RADAR,
    },
    rows,
  );
}

/** The same as dots, which can be read off: F1 of each classifier, language by language. */
export function classifierDotsFigure(results: readonly ClassifierResult[]): Figure {
  const { rows, languages } = perClass(results);
  const f1 = rows.filter(({ metric }) => metric === "F1")
    .map(({ language, classifier, value }) => ({ language, classifier, f1: value }));
  return figureOf(
    "dots",
    {
      id: "classifiers-f1",
      group: GROUP,
      title: "F1 of each language",
      see:
        "Languages whose dots lie far apart are those on which the choice of classifier matters.",
    },
    {
      category: "language",
      categories: languages,
      value: "f1",
      valueTitle: "F1",
      series: "classifier",
      seriesNames: results.map(({ name }) => name),
    },
    f1,
  );
}

/** The confusion matrix of one classifier, and its precision, recall and F1. */
export function classFigures(result: ClassifierResult): Figure[] {
  const { name, classes, confusion } = result;
  const most = Math.max(1, ...confusion.flat());
  const wrong = confusion.flatMap((row, i) =>
    row.flatMap((texts, j) => i === j || texts === 0 ? [] : [{ texts, i, j }])
  ).sort((a, b) => b.texts - a.texts).at(0);
  return [
    figureOf(
      "matrix",
      {
        id: `confusion-${slug(name)}`,
        group: GROUP,
        title: `What ${name} takes for what`,
        see: wrong
          ? `Texts off the diagonal are mistakes; the most frequent is ${
            classes[wrong.i]
          } taken for ` +
            `${classes[wrong.j]} (${wrong.texts}).`
          : "All texts lie on the diagonal: no mistakes.",
      },
      {
        x: "predicted",
        y: "true",
        value: "texts",
        columns: classes,
        rows: classes,
        xTitle: "predicted",
        yTitle: "true",
        valueTitle: "texts",
        domain: [0, most],
        scale: "sequential",
        labels: "count",
      },
      confusion.flatMap((row, i) =>
        row.map((texts, j) => ({ true: classes[i], predicted: classes[j], texts }))
      ),
    ),
    figureOf(
      "bars",
      {
        id: `classes-${slug(name)}`,
        group: GROUP,
        title: `Precision, recall and F1 of ${name}`,
        see:
          "Low precision: other languages are taken for this one; low recall: its own texts are " +
          "not recognised.",
      },
      {
        category: "language",
        categories: classes,
        categoryTitle: "language",
        value: "value",
        valueTitle: "score",
        lying: false,
        grouped: true,
        series: "metric",
        seriesNames: METRIC_NAMES,
        domain: [0, 1.05],
      },
      perClass([result]).rows.map(({ language, metric, value }) => ({ language, metric, value })),
    ),
  ];
}

function perClass(results: readonly ClassifierResult[]) {
  const languages = [...new Set(results.flatMap(({ classes }) => classes))].sort();
  const rows = results.flatMap((result) =>
    result.classes.flatMap((language, i) =>
      Object.entries(METRICS).map(([metric, key]) => ({
        language,
        classifier: result.name,
        metric,
        value: result[key][i],
      }))
    )
  );
  return { rows, languages };
}
