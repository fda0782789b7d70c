/** How good predictions are: accuracy, precision, recall and F1, as scikit-learn defines them. */

/** What a confusion matrix says. Lists have one entry per class. */
export interface ClassMetrics {
  /** Share of texts whose prediction is their label. */
  readonly accuracy: number;
  /** Right predictions of a class over all predictions of it; 0 where there are none. */
  readonly precision: readonly number[];
  /** Right predictions of a class over all texts of it; 0 where there are none. */
  readonly recall: readonly number[];
  /** Harmonic mean of the two; 0 where both are. */
  readonly f1: readonly number[];
}

/** Classes of labels and predictions: sorted, each once. */
export function classesOf(labels: readonly string[], predictions: readonly string[]): string[] {
  return [...new Set([...labels, ...predictions])].sort();
}

/**
 * How often each class was taken for each: rows are labels, columns predictions.
 *
 * @param labels class of each text, by position
 * @param predictions the same, as predicted
 * @param weights how often each text counts; once, if not given
 */
export function confusionMatrix(
  classes: number,
  labels: ArrayLike<number>,
  predictions: ArrayLike<number>,
  weights?: ArrayLike<number>,
): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let text = 0; text < labels.length; text++) {
    matrix[labels[text]][predictions[text]] += weights?.[text] ?? 1;
  }
  return matrix;
}

/** Metrics of a confusion matrix; what would divide by zero is 0. */
export function classMetrics(matrix: readonly (readonly number[])[]): ClassMetrics {
  const right = matrix.map((row, c) => row[c]);
  const labelled = matrix.map(sum);
  const predicted = matrix.map((_, c) => sum(matrix.map((row) => row[c])));
  return {
    accuracy: ratio(sum(right), sum(labelled)),
    precision: right.map((n, c) => ratio(n, predicted[c])),
    recall: right.map((n, c) => ratio(n, labelled[c])),
    f1: right.map((n, c) => ratio(2 * n, labelled[c] + predicted[c])),
  };
}

/** Mean over classes. */
export function macro(values: readonly number[]): number {
  return ratio(sum(values), values.length);
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
