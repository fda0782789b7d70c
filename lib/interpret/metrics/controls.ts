/**
 * What a score is worth: the same score where there should be nothing to find. Explanations of random
 * latents tell how well any latent is explained; explanations of other latents tell how well any
 * explanation does.
 */
import type { Estimate } from "./latent_score.ts";
import { differenceEstimate, meanEstimate } from "./means.ts";

/** Kinds of controls, as `--controls` names them. */
export const CONTROLS = ["random", "shuffled"] as const;

export type ControlName = (typeof CONTROLS)[number];

/** Scores of a kind of control, beside the scores that they are compared with. */
export interface ControlComparison {
  /** Mean over the control's latents. */
  readonly control: Estimate;
  /** By how much the explained latents score better. */
  readonly difference: Estimate;
}

/** Compares latents with other latents: each group is drawn anew. Values that are NaN are left out. */
export function againstRandom(
  values: readonly number[],
  controls: readonly number[],
): ControlComparison {
  return { control: meanEstimate(controls), difference: differenceEstimate(values, controls) };
}

/**
 * Compares the scores of the same latents by their own explanation and by another's: pairs are drawn
 * anew. Pairs of which one is NaN are left out.
 */
export function againstShuffled(
  pairs: readonly (readonly [own: number, control: number])[],
): ControlComparison {
  return {
    control: meanEstimate(pairs.map(([, control]) => control)),
    difference: meanEstimate(pairs.map(([own, control]) => own - control)),
  };
}

/**
 * For each latent the place of the latent whose explanation it borrows: the next of its group (its
 * hookpoint and languages), the last the first's; of a group of one the next of all; undefined where it
 * is the only one. An explanation equal to its own is passed over.
 *
 * @param groups name of each latent's group, by position
 * @param explanations of each latent, by position
 */
export function borrowedExplanations(
  groups: readonly string[],
  explanations: readonly string[],
): (number | undefined)[] {
  const places = groups.map((_, place) => place);
  return places.map((place) => {
    const following = [...places.slice(place + 1), ...places.slice(0, place)]
      .filter((other) => explanations[other] !== explanations[place]);
    return following.find((other) => groups[other] === groups[place]) ?? following[0];
  });
}
