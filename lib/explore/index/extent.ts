/** How much of the latents the index holds: all that fits, else what is asked for most. */
import type { PooledCounts } from "../../lape/pool.ts";

/** Firings that are all kept, 12 bytes each. */
export const MOST_FIRINGS = 2 ** 25;
/** Texts per identified latent and language, where not all firings are kept. */
export const TEXTS_KEPT = 40;
/** Latents times width of products with all decoder rows that are made for every latent. */
const MOST_PRODUCTS = 2e10;

/** What is kept. */
export interface Extent {
  /** Ids of the latents whose contexts, tokens and relations are kept, ascending. */
  readonly tracked: Uint32Array<ArrayBuffer>;
  /** Texts per latent and language; Infinity for all. */
  readonly texts: number;
}

/**
 * All firings of all latents while there are no more than {@linkcode MOST_FIRINGS} of them; beyond, the
 * {@linkcode TEXTS_KEPT} strongest texts of each identified latent in each language. Statistics of all
 * latents are kept in any case.
 *
 * @param identified ids, each once
 * @param width of decoder rows
 */
export function extentOf(
  { byLanguage, layers, width: latents }: PooledCounts,
  identified: Iterable<number>,
  width: number,
): Extent {
  let firings = 0;
  for (const { firedTokens } of byLanguage) {
    for (let i = 0; i < firedTokens.length; i++) firings += firedTokens[i];
  }
  const fits = firings <= MOST_FIRINGS && layers.length * latents ** 2 * width <= MOST_PRODUCTS;
  const units = layers.length * latents;
  return fits
    ? { tracked: Uint32Array.from({ length: units }, (_, id) => id), texts: Infinity }
    : { tracked: Uint32Array.from(identified).sort(), texts: TEXTS_KEPT };
}
