/** Activations as explainers are told them: integers from 0 to 10 (spec train-and-interpret B.5). */

/** Smallest largest activation that is divided by. */
const LEAST_MAX = 1e-6;

/**
 * Tenths of the latent's largest activation, rounded up, so that only what does not fire is 0.
 *
 * @param max the latent's largest activation
 */
export function tenthsOf(activations: Float32Array, max: number): Uint8Array<ArrayBuffer> {
  const largest = Math.max(max, LEAST_MAX);
  return Uint8Array.from(activations, (value) => clamped(Math.ceil(10 * value / largest)));
}

/** As published: computed in f16 and rounded down, so that weak activations are 0 as well. */
export function publishedTenths(activations: Float32Array, max: number): Uint8Array<ArrayBuffer> {
  const largest = Math.max(max, LEAST_MAX);
  return Uint8Array.from(
    activations,
    (value) => clamped(Math.floor(Math.f16round(Math.f16round(10 * value) / largest))),
  );
}

function clamped(tenths: number): number {
  return Math.max(0, Math.min(10, tenths));
}
