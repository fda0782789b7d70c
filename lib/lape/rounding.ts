/**
 * Rounds to the nearest integer, halves to the even neighbour: Python's `round`, torch's `round`.
 * `Math.round` sends every half upwards and would move published thresholds.
 */
export function roundHalfToEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest < 0.5) return below;
  if (rest > 0.5) return below + 1;
  return below % 2 === 0 ? below : below + 1;
}
