/** What a classifier makes of labelled texts, and how often it is right. */
import type { Interval } from "../stats/bootstrap.ts";
import { metricIntervals } from "./intervals.ts";
import { classesOf, type ClassMetrics, classMetrics, confusionMatrix, macro } from "./metrics.ts";
import { predict, type Prediction } from "./prediction.ts";

/** A text whose language is known. */
export interface LabelledText {
  readonly text: string;
  /** Qualified name. */
  readonly language: string;
  /** Texts with the same name are one document, in whatever language. */
  readonly document: string;
}

/** Scores of texts. */
export interface ClassifierScores {
  /** e.g. `sae-count`, or `sae-count-normalized` */
  readonly name: string;
  /** Qualified names, in the order of the scores. */
  readonly languages: readonly string[];
  /** [texts][languages] */
  readonly scores: readonly (readonly number[])[];
}

/** How good a classifier's predictions are. */
export interface Evaluation extends ClassifierScores, ClassMetrics {
  readonly predictions: readonly Prediction[];
  /** Labels and predicted languages as class names, sorted. */
  readonly classes: readonly string[];
  /** Rows are labels. */
  readonly confusion: readonly (readonly number[])[];
  readonly precisionMacro: number;
  readonly recallMacro: number;
  readonly f1Macro: number;
  /** Of accuracy and macro F1; undefined without resamples. */
  readonly intervals: { readonly accuracy: Interval; readonly f1Macro: Interval } | undefined;
  /** Texts that no score speaks for; the first language was predicted. */
  readonly empty: number;
  /** Other texts with the largest score in several languages; the first of them was predicted. */
  readonly ties: number;
}

/** Resamples of the intervals. */
export interface EvaluationOptions {
  /** 0 for no intervals. */
  readonly replicates: number;
  readonly seed: number;
}

/**
 * Evaluates a classifier.
 *
 * @param texts one per row of the scores
 * @param classOf name of a language's class in the results
 */
export function evaluate(
  classifier: ClassifierScores,
  texts: readonly LabelledText[],
  classOf: (language: string) => string,
  { replicates, seed }: EvaluationOptions,
): Evaluation {
  const predictions = classifier.scores.map(predict);
  const labels = texts.map(({ language }) => classOf(language));
  const predicted = predictions.map(({ language }) => classOf(classifier.languages[language]));
  const classes = classesOf(labels, predicted);
  const places = new Map(classes.map((name, place) => [name, place]));
  const positions = (names: readonly string[]) => names.map((name) => places.get(name)!);
  const [truth, guess] = [positions(labels), positions(predicted)];
  const confusion = confusionMatrix(classes.length, truth, guess);
  const metrics = classMetrics(confusion);
  const documents = texts.map(({ document }) => document);
  const empty = predictions.filter(({ empty }) => empty).length;
  return {
    ...classifier,
    ...metrics,
    predictions,
    classes,
    confusion,
    precisionMacro: macro(metrics.precision),
    recallMacro: macro(metrics.recall),
    f1Macro: macro(metrics.f1),
    intervals: replicates === 0
      ? undefined
      : metricIntervals(classes.length, truth, guess, documents, { replicates, seed }),
    empty,
    ties: predictions.filter(({ empty, sharedBy }) => !empty && sharedBy > 1).length,
  };
}
