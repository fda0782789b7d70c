/** How many of many findings are false. */

/**
 * q-values: the smallest share of false findings (FDR) at which each test would be a finding
 * (Benjamini & Hochberg 1995), `q_(i) = min over j >= i of m p_(j) / j`. Holds for independent tests,
 * and for such positive dependence as tests on the same texts have (Benjamini & Yekutieli 2001).
 *
 * @param pValues NaN where nothing was tested: no part of m, and NaN in the result
 */
export function benjaminiHochberg(pValues: Float64Array): Float64Array<ArrayBuffer> {
  const order = Uint32Array.from(pValues.keys())
    .filter((i) => !Number.isNaN(pValues[i]))
    .sort((a, b) => pValues[a] - pValues[b]);
  const qValues = new Float64Array(pValues.length).fill(NaN);
  let least = 1;
  for (let place = order.length - 1; place >= 0; place--) {
    least = Math.min(least, order.length * pValues[order[place]] / (place + 1));
    qValues[order[place]] = least;
  }
  return qValues;
}
