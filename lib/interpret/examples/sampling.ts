/** Which of a latent's windows it is explained from, and which it is scored on (spec B.5). */
import { PythonRandom } from "../../stats/mersenne_twister.ts";
import { type Random, sample } from "../../stats/random.ts";
import type { ExampleOptions } from "./example_source.ts";

/** What decides the choice. */
export type SamplingOptions = Pick<
  ExampleOptions,
  | "nExamplesTrain"
  | "trainType"
  | "nExamplesTest"
  | "testType"
  | "nQuantiles"
  | "ratioTop"
>;

/** A window by its place in the order of strength, 0 the strongest. */
export interface ChosenWindow {
  readonly index: number;
  /** The slice by strength that it was drawn from, 0 the strongest; 0 where none was. */
  readonly quantile: number;
}

/** Windows to explain from, and to score on. */
export interface ChosenWindows {
  readonly train: readonly ChosenWindow[];
  readonly test: readonly ChosenWindow[];
}

/**
 * Chooses windows: none is both to explain from and to score on. Windows to score on are slices of
 * those that are left; where there are too few windows, both get less, in proportion.
 *
 * @param count windows that there are, by strength
 */
export function chooseWindows(
  count: number,
  options: SamplingOptions,
  random: Random,
): ChosenWindows {
  const { trainType, testType, nQuantiles, ratioTop } = options;
  const { nExamplesTrain, nExamplesTest } = withinCount(count, options);
  const all = numbersTo(count);
  const train = trainedOn();
  const shown = new Set(train.map(({ index }) => index));
  const rest = all.filter((index) => !shown.has(index));
  const test = testType === "top"
    ? strongest(rest, nExamplesTest)
    : slices(rest, nQuantiles, nExamplesTest, random);
  return { train, test };

  function trainedOn(): ChosenWindow[] {
    switch (trainType) {
      case "top":
        return strongest(all, nExamplesTrain);
      case "random":
        return sample(random, count, nExamplesTrain).map((index) => ({ index, quantile: 0 }));
      case "quantiles":
        return slices(all, nQuantiles, nExamplesTrain, random);
      case "mix": {
        const top = Math.round(nExamplesTrain * ratioTop);
        const others = slices(all.slice(top), nQuantiles, nExamplesTrain - top, random);
        return [...strongest(all, top), ...others];
      }
    }
  }
}

function withinCount(count: number, { nExamplesTrain, nExamplesTest }: SamplingOptions) {
  const asked = nExamplesTrain + nExamplesTest;
  if (asked <= count) return { nExamplesTrain, nExamplesTest };
  const train = Math.round(count * nExamplesTrain / asked);
  return { nExamplesTrain: train, nExamplesTest: count - train };
}

function strongest(indices: readonly number[], most: number): ChosenWindow[] {
  return indices.slice(0, most).map((index) => ({ index, quantile: 0 }));
}

/** `size` of the windows, as evenly from slices of about equal length as can be. */
function slices(
  indices: readonly number[],
  quantiles: number,
  size: number,
  random: Random,
): ChosenWindow[] {
  const border = (total: number, quantile: number) => Math.floor(total * quantile / quantiles);
  return numbersTo(quantiles).flatMap((quantile) => {
    const slice = indices.slice(
      border(indices.length, quantile),
      border(indices.length, quantile + 1),
    );
    const share = border(size, quantile + 1) - border(size, quantile);
    const drawn = sample(random, slice.length, Math.min(share, slice.length));
    return drawn.map((at) => ({ index: slice[at], quantile }));
  });
}

/** Seed of the published program's choices, whatever it is told. */
const PUBLISHED_SEED = 22;

/**
 * Chooses windows as published: those to score on are drawn from all, and a window that is drawn twice
 * keeps the slice of the second draw.
 */
export function choosePublishedWindows(count: number, options: SamplingOptions): ChosenWindows {
  const { nExamplesTrain, nExamplesTest, trainType, testType, nQuantiles, ratioTop } = options;
  const all = numbersTo(count);
  const quantileOf = new Map<number, number>();
  const train = trainedOn();
  const test = testType === "top"
    ? all.slice(nExamplesTrain, nExamplesTest)
    : publishedSlices(all, nQuantiles, nExamplesTest, quantileOf);
  const chosen = (index: number) => ({ index, quantile: quantileOf.get(index) ?? 0 });
  return { train: train.map(chosen), test: test.map(chosen) };

  function trainedOn(): number[] {
    switch (trainType) {
      case "top":
        return all.slice(0, nExamplesTrain);
      case "random":
        return new PythonRandom(PUBLISHED_SEED).sample(all, Math.min(count, nExamplesTrain));
      case "quantiles":
        return publishedSlices(all, nQuantiles, nExamplesTrain, quantileOf);
      case "mix": {
        const top = Math.trunc(nExamplesTrain * ratioTop);
        const others = Math.trunc(nExamplesTrain * (1 - ratioTop));
        return [
          ...all.slice(0, top),
          ...publishedSlices(all.slice(top), nQuantiles, others, quantileOf),
        ];
      }
    }
  }
}

function publishedSlices(
  indices: readonly number[],
  quantiles: number,
  size: number,
  quantileOf: Map<number, number>,
): number[] {
  const random = new PythonRandom(PUBLISHED_SEED);
  const length = Math.floor(indices.length / quantiles);
  const share = Math.floor(size / quantiles);
  return numbersTo(quantiles).flatMap((quantile) => {
    const slice = indices.slice(quantile * length, (quantile + 1) * length);
    const drawn = slice.length < share ? slice : random.sample(slice, share);
    for (const index of drawn) quantileOf.set(index, quantile);
    return drawn;
  });
}

function numbersTo(end: number): number[] {
  return Array.from({ length: end }, (_, i) => i);
}
