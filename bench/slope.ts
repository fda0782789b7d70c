/** How cost grows with the size of the work. */

/** The cost of work of some size. */
export interface Cost {
  readonly size: number;
  readonly cost: number;
}

/** How cost grows: it is proportional to size^slope. */
export interface Growth {
  readonly slope: number;
  /** Of the slope; needs three costs or more. */
  readonly standardError: number;
}

/** The slope of log cost on log size by least squares: 1 is linear, 2 quadratic. */
export function growth(costs: readonly Cost[]): Growth {
  const x = costs.map(({ size }) => Math.log(size));
  const y = costs.map(({ cost }) => Math.log(cost));
  const { slope, intercept } = leastSquares(x, y, x.map(() => 1));
  const residuals = sum(x.map((value, i) => (y[i] - intercept - slope * value) ** 2));
  const middle = sum(x) / x.length;
  const spread = sum(x.map((value) => (value - middle) ** 2));
  return { slope, standardError: Math.sqrt(residuals / (x.length - 2) / spread) };
}

/**
 * What work costs whatever its size, and per unit: the line through the costs that errs least in
 * relative terms.
 */
export function fixedAndUnitCost(costs: readonly Cost[]): { fixed: number; unit: number } {
  const weights = costs.map(({ cost }) => 1 / cost ** 2);
  const { slope, intercept } = leastSquares(
    costs.map(({ size }) => size),
    costs.map(({ cost }) => cost),
    weights,
  );
  return { fixed: intercept, unit: slope };
}

/** The line that minimises Σ w (y - intercept - slope x)². */
function leastSquares(
  x: readonly number[],
  y: readonly number[],
  weights: readonly number[],
): { slope: number; intercept: number } {
  const total = sum(weights);
  const mean = (values: readonly number[]) =>
    sum(values.map((value, i) => value * weights[i])) / total;
  const [meanX, meanY] = [mean(x), mean(y)];
  const slope = mean(x.map((value, i) => (value - meanX) * (y[i] - meanY))) /
    mean(x.map((value) => (value - meanX) ** 2));
  return { slope, intercept: meanY - slope * meanX };
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
