/** Watches how much memory the process takes beside the accounted GPU memory. */

/** Often enough to see what lives for a moment, seldom enough to cost nothing. */
const INTERVAL_MS = 50;

/** The most host memory seen so far. Dispose of it to stop watching. */
export interface HostMemoryWatch extends Disposable {
  /** Bytes: resident set size less the accounted GPU memory in it. */
  readonly peak: number;
}

/**
 * Samples the resident set size until disposed of; does not keep the process alive.
 *
 * @param accounted bytes of GPU memory that lie in the resident set now: all of it where the GPU is
 *   software, none where it has memory of its own
 */
export function watchHostMemory(accounted: () => number): HostMemoryWatch {
  let peak = 0;
  const sample = () => {
    peak = Math.max(peak, Deno.memoryUsage().rss - accounted());
  };
  sample();
  const timer = setInterval(sample, INTERVAL_MS);
  Deno.unrefTimer(timer);
  return {
    get peak() {
      sample();
      return peak;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
