/** Numbers as the original's Python rounds and prints them. */

/**
 * Python's `round(x, 3)`: the nearest multiple of 0.001 to the exact value of x, halves to the even one.
 * `toFixed` does the same but sends halves away from 0; a double lies halfway only when it is an odd
 * multiple of 1/16 (0.0005 is 1/2000, and 125 of these are 1/16).
 *
 * @param x below 10^21 in size
 */
export function roundToThree(x: number): number {
  const isHalfway = Math.abs(x * 16) % 2 === 1;
  if (!isHalfway) return Number(x.toFixed(3));
  const below = Math.floor(x * 1000);
  return (below % 2 === 0 ? below : below + 1) / 1000;
}

/** A float as Python prints it: whole ones with `.0`. For numbers of three decimals below 10^16. */
export function pythonFloat(x: number): string {
  return Number.isInteger(x) ? `${x}.0` : String(x);
}
