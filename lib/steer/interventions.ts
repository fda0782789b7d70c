/**
 * What is done to activations on their way through a model (spec section 8):
 *
 *   latents   s_l = m Σ_{f of the language, layer l} V_f W_dec[f], added to what the SAE of layer l reads
 *   neurons   a[f] = v (fixed) or a[f] += v V_f (scaling), on the output a of act_fn
 *
 * at every token, without an encoder, a projection or control of the norm. V_f is the feature's largest,
 * smallest or mean activation over all languages (quirk 28).
 */
import { InputError } from "../formats/input_error.ts";
import type { LapeFeature } from "../lape/lape_json.ts";
import type { Hookpoint } from "../nn/hookpoints.ts";
import type { Sae } from "../sae/sae.ts";
import type { Target } from "../sae/target.ts";

/** What is done to activations at one hookpoint. */
export type Edit =
  /** A steering vector is added. [width of the hookpoint] */
  | {
    readonly kind: "add";
    readonly hookpoint: Hookpoint;
    readonly vector: Float32Array<ArrayBuffer>;
  }
  /** Neurons, none twice, are set to values, or these are added to them. */
  | {
    readonly kind: "neurons";
    readonly hookpoint: Hookpoint;
    readonly neurons: Uint32Array<ArrayBuffer>;
    readonly values: Float32Array<ArrayBuffer>;
    readonly add: boolean;
  };

/** Which of a feature's activations over all languages V is. */
export type ActivationValue = "max" | "min" | "avg";

/** How strongly latents are steered. */
export interface SaeSteering {
  readonly value: ActivationValue;
  /** m */
  readonly multiplier: number;
}

/** What is done to neurons. */
export interface NeuronSteering {
  readonly method: "fixed" | "scaling";
  /** v */
  readonly value: number;
  /** V, for `scaling`. */
  readonly valueType: ActivationValue;
}

/**
 * The steering vectors of latents, in the order of the targets; layers without any of the features, and
 * features of layers without a target, are left out.
 *
 * @param targets hookpoints with an SAE, at most one per layer
 * @throws InputError for SAEs without a decoder or the latent, and for features without the value
 */
export async function saeEdits(
  targets: readonly Target[],
  features: readonly LapeFeature[],
  { value, multiplier }: SaeSteering,
): Promise<Edit[]> {
  const edits: Edit[] = [];
  for (const { hookpoint, sae } of targets) {
    const here = features.filter(({ layer }) => layer === hookpoint.layer);
    if (!sae || here.length === 0) continue;
    const coefficients = here.map((feature) =>
      multiplier * activationOf(feature, value, hookpoint)
    );
    const vector = await combined(sae, here, coefficients, hookpoint);
    edits.push({ kind: "add", hookpoint, vector });
  }
  return edits;
}

/** Σ coefficients[f] W_dec[f], summed in f64. */
async function combined(
  sae: Sae,
  features: readonly LapeFeature[],
  coefficients: readonly number[],
  { name }: Hookpoint,
): Promise<Float32Array<ArrayBuffer>> {
  const { decoder, inputSize, latents, where } = sae;
  if (!decoder) {
    throw new InputError(
      `${where} has no decoder, which steering needs: give an SAE of ${name} that has one.`,
    );
  }
  checkIndices(features, latents, `latents of ${name} (${where})`);
  const rows = await decoder.rows(features.map(({ index }) => index));
  const sum = new Float64Array(inputSize);
  coefficients.forEach((coefficient, f) => {
    for (let i = 0; i < inputSize; i++) sum[i] += coefficient * rows[f * inputSize + i];
  });
  return Float32Array.from(sum);
}

/**
 * What is done to neurons, in the order of the hookpoints; layers without any of the features, and
 * features of layers without a hookpoint, are left out.
 *
 * @param hookpoints of act_fn
 * @param width neurons of a layer
 * @throws InputError for neurons that the model has not, and for features without the value
 */
export function neuronEdits(
  hookpoints: readonly Hookpoint[],
  features: readonly LapeFeature[],
  { method, value, valueType }: NeuronSteering,
  width: number,
): Edit[] {
  const add = method === "scaling";
  return hookpoints.flatMap((hookpoint): Edit[] => {
    const here = features.filter(({ layer }) => layer === hookpoint.layer);
    if (here.length === 0) return [];
    checkIndices(here, width, `neurons of ${hookpoint.name}`);
    const neurons = Uint32Array.from(here, ({ index }) => index);
    const values = Float32Array.from(
      here,
      (feature) => add ? value * activationOf(feature, valueType, hookpoint) : value,
    );
    return [{ kind: "neurons", hookpoint, neurons, values, add }];
  });
}

const VALUE_KEYS = { max: "globalMax", min: "globalMin", avg: "globalAvg" } as const;

/** V of a feature. */
function activationOf(feature: LapeFeature, value: ActivationValue, { name }: Hookpoint): number {
  const activation = feature[VALUE_KEYS[value]];
  if (Number.isFinite(activation)) return activation;
  throw new InputError(
    `The LAPE file has no ${value} activation of feature ${feature.index} of ${name}, which steering ` +
      `multiplies with: write the file again with identify.`,
  );
}

function checkIndices(features: readonly LapeFeature[], units: number, what: string): void {
  const outside = features.find(({ index }) => index >= units);
  if (outside === undefined) return;
  throw new InputError(
    `The LAPE file names number ${outside.index} of the ${units} ${what}: give the file of this ` +
      `model and these SAEs.`,
  );
}
