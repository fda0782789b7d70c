/** Windows in which a latent never fires, drawn at random (spec train-and-interpret B.4). */
import { MersenneTwister } from "../../stats/mersenne_twister.ts";
import { type Random, sample } from "../../stats/random.ts";

/** Seed of the published program's draws, whatever it is told. */
const PUBLISHED_SEED = 42;

/** Numbers of the windows of the grid that are not among these, ascending. */
export function otherWindows(
  windows: number,
  taken: ReadonlySet<number>,
): Uint32Array<ArrayBuffer> {
  const others = new Uint32Array(windows - taken.size);
  let count = 0;
  for (let window = 0; window < windows; window++) {
    if (!taken.has(window)) others[count++] = window;
  }
  return others;
}

/** `size` of the windows, none of them twice; all, if there are not so many. */
export function randomWindows(windows: Uint32Array, size: number, random: Random): number[] {
  const drawn = sample(random, windows.length, Math.min(size, windows.length));
  return drawn.map((at) => windows[at]);
}

/** As published: any may come twice, and there are none where there are fewer than `size`. */
export function publishedRandomWindows(windows: Uint32Array, size: number): number[] {
  if (windows.length < size) return [];
  const random = new MersenneTwister(PUBLISHED_SEED);
  return Array.from({ length: size }, () => windows[random.remainder(windows.length)]);
}
