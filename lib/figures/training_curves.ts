/** How a training of SAEs went. */
import type { Figure } from "./figure.ts";
import { figureOf, slug } from "./kinds.ts";

/** Values of one coder at one step; null where it has none. */
export interface TrainingPoint {
  readonly step: number;
  readonly tokens: number;
  /** Hookpoint, e.g. `layers.3.mlp`. */
  readonly coder: string;
  readonly values: Readonly<Record<string, number | null>>;
}

/** What is told of a value: its title, and what to see. */
const VALUES: Readonly<Record<string, readonly [title: string, see: string]>> = {
  fvu: [
    "Variance that is left unexplained",
    "Lines fall while SAEs learn; where they have become flat, more of the same texts helps little.",
  ],
  held_out_fvu: [
    "Variance left unexplained of texts that are held out",
    "A line above that of the training texts is what the SAE does not carry over to others.",
  ],
  dead_pct: [
    "Latents that no longer fire",
    "Dead latents are lost capacity: lines should stay near the bottom.",
  ],
  auxk: [
    "Auxiliary loss of dead latents",
    "What dead latents could still explain of what the others leave.",
  ],
  multi_topk_fvu: [
    "Variance left unexplained with more latents",
    "The same with several times as many latents per token.",
  ],
  lr: ["Learning rate", "How the step size rises and falls."],
};

/** What is measured now and then, and never thinned. */
const HELD_OUT = "held_out_fvu";
/** Steps drawn per coder: a page need not have tens of thousands. */
const DRAWN = 400;

/**
 * A figure per value that was logged, a line per coder. Of long trainings every n-th step is drawn,
 * and the last.
 */
export function trainingFigures(points: readonly TrainingPoint[], name = ""): Figure[] {
  const coders = [...new Set(points.map(({ coder }) => coder))];
  const steps = [...new Set(points.map(({ step }) => step))].sort((a, b) => a - b);
  const every = Math.ceil(steps.length / DRAWN);
  const drawn = new Set(steps.filter((_, i) => i % every === 0 || i === steps.length - 1));
  const of = name === "" ? "" : ` (${name})`;
  return Object.entries(VALUES).flatMap(([value, [title, see]]) => {
    const rows = points.flatMap(({ step, tokens, coder, values }) => {
      const at = values[value];
      const keep = typeof at === "number" && (drawn.has(step) || value === HELD_OUT);
      return keep ? [{ step, tokens, coder, layer: layerOf(coder), [value]: at }] : [];
    });
    if (rows.length === 0) return [];
    const thinned = every === 1 || value === HELD_OUT ? "" : ` One step in ${every} is drawn.`;
    return [figureOf(
      "lines",
      {
        id: slug(`training ${value} ${name}`),
        group: "Training",
        title: `${title}${of}`,
        see: `${see}${thinned}`,
      },
      {
        x: "step",
        y: value,
        xTitle: "step",
        yTitle: value === "lr" ? "learning rate" : "share",
        series: "coder",
        seriesNames: coders,
        fromZero: true,
        dots: rows.length <= coders.length,
      },
      rows,
    )];
  });
}

/** The layer in the name of a hookpoint; null where it has none. */
function layerOf(hookpoint: string): number | null {
  const [, layer] = /(?:^|\.)layers\.(\d+)/.exec(hookpoint) ?? [];
  return layer === undefined ? null : Number(layer);
}
