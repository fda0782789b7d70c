/**
 * The training loss of a coder in f64, from its definition (spec train-and-interpret A.1), and its
 * gradient by central differences. Nothing here is shared with lib/train but the types.
 *
 * What gradients do not flow through (the selection, AuxK's target and, under compat, the activations
 * of AuxK and Multi-TopK) is computed once, from the unperturbed tensors, and held.
 */
import type { ParameterName } from "../../lib/train/parameter.ts";
import type { CoderShape } from "../../lib/train/shape.ts";

export type Tensors64 = Map<ParameterName, Float64Array>;

export interface ReferenceBatch {
  /** [tokens, inputSize] */
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly tokens: number;
  readonly k: number;
  /** Per latent; absent: none is dead. */
  readonly dead?: readonly boolean[];
  readonly paper: boolean;
}

export interface ReferenceLosses {
  readonly total: number;
  readonly fvu: number;
  readonly auxk: number;
  readonly multiTopk: number;
}

/** Latents of one token, with their pre-activations before ReLU. */
type Selected = { latent: number; a: number }[];

interface Held {
  readonly output: Selected[];
  readonly auxk: Selected[];
  readonly multiTopk: Selected[];
  /** [tokens, inputSize] target of AuxK. */
  readonly left: Float64Array;
}

/** The losses of a batch. */
export function referenceLosses(
  shape: CoderShape,
  tensors: Tensors64,
  batch: ReferenceBatch,
): ReferenceLosses {
  return lossesGiven(shape, tensors, batch, hold(shape, tensors, batch));
}

/** Entries of the total loss's gradient by central differences: as many as `at` names of each tensor. */
export function referenceGradients(
  shape: CoderShape,
  tensors: Tensors64,
  batch: ReferenceBatch,
  at: ReadonlyMap<ParameterName, readonly number[]>,
): Tensors64 {
  const held = hold(shape, tensors, batch);
  const step = 1e-5;
  const loss = () => lossesGiven(shape, tensors, batch, held).total;
  return new Map(
    [...tensors].map(([name, values]) => [
      name,
      Float64Array.from(at.get(name) ?? [], (i) => {
        const value = values[i];
        values[i] = value + step;
        const above = loss();
        values[i] = value - step;
        const below = loss();
        values[i] = value;
        return (above - below) / (2 * step);
      }),
    ]),
  );
}

function hold(shape: CoderShape, tensors: Tensors64, batch: ReferenceBatch): Held {
  const { latents, inputSize, activation, multiTopk } = shape;
  const { tokens, k, dead } = batch;
  const pre = Array.from(
    { length: tokens },
    (_, t) =>
      Array.from({ length: latents }, (_, latent) => ({
        latent,
        a: preActivation(shape, tensors, batch, t, latent),
      })),
  );
  const largest = (row: Selected, count: number) =>
    [...row].sort((p, q) => Math.max(q.a, 0) - Math.max(p.a, 0) || p.latent - q.latent)
      .slice(0, count);
  const groups = (row: Selected) =>
    Array.from({ length: k }, (_, g) => {
      const size = latents / k;
      return largest(row.slice(g * size, (g + 1) * size), 1)[0];
    });
  const deadCount = dead?.filter((is) => is).length ?? 0;
  const auxK = Math.min(Math.floor(inputSize / 2), deadCount);
  const held = {
    output: pre.map((row) => activation === "groupmax" ? groups(row) : largest(row, k)),
    auxk: pre.map((row) => largest(row.filter(({ latent }) => dead?.[latent]), auxK)),
    multiTopk: pre.map((row) => multiTopk ? largest(row, Math.min(4 * k, latents)) : []),
  };
  const left = new Float64Array(tokens * inputSize);
  for (let t = 0; t < tokens; t++) {
    const out = decode(shape, tensors, batch, t, held.output[t], relu, {
      skip: true,
      bias: true,
    });
    for (let c = 0; c < inputSize; c++) {
      left[t * inputSize + c] = batch.y[t * inputSize + c] - out[c];
    }
  }
  return { ...held, left };
}

function lossesGiven(
  shape: CoderShape,
  tensors: Tensors64,
  batch: ReferenceBatch,
  held: Held,
): ReferenceLosses {
  const { inputSize, auxkAlpha, multiTopk } = shape;
  const { tokens, y, paper, dead } = batch;
  const variation = totalVariation(y, tokens, inputSize);
  const now = (t: number, latent: number) => preActivation(shape, tensors, batch, t, latent);
  const live = (t: number) => ({ latent }: Selected[number]) => Math.max(0, now(t, latent));
  // The published backward knows no ReLU: slots clipped to 0 have slope 1.
  const straight = (t: number) => ({ latent, a }: Selected[number]) =>
    Math.max(0, a) + now(t, latent) - a;
  const output = (t: number) => paper ? straight(t) : live(t);
  const others = (t: number) => paper ? relu : live(t);
  let [fvu, auxk, multi] = [0, 0, 0];
  for (let t = 0; t < tokens; t++) {
    const target = Array.from({ length: inputSize }, (_, c) => y[t * inputSize + c]);
    const left = held.left.subarray(t * inputSize, (t + 1) * inputSize);
    const given = (
      selected: Selected,
      act: (one: Selected[number]) => number,
      skip: boolean,
      bias: boolean,
    ) => decode(shape, tensors, batch, t, selected, act, { skip, bias });
    fvu += squares(given(held.output[t], output(t), true, true), target);
    if (held.auxk[t].length > 0) {
      auxk += squares(given(held.auxk[t], others(t), false, paper), left);
    }
    if (multiTopk) multi += squares(given(held.multiTopk[t], others(t), !paper, true), target);
  }
  const deadCount = dead?.filter((is) => is).length ?? 0;
  const scale = Math.min(deadCount / Math.floor(inputSize / 2), 1);
  const losses = {
    fvu: fvu / variation,
    auxk: auxkAlpha > 0 && deadCount > 0 ? scale * auxk / variation : 0,
    multiTopk: multi / variation,
  };
  return { ...losses, total: losses.fvu + auxkAlpha * losses.auxk + losses.multiTopk / 8 };
}

function relu({ a }: Selected[number]): number {
  return Math.max(0, a);
}

function preActivation(
  { inputSize, transcode }: CoderShape,
  tensors: Tensors64,
  { x }: ReferenceBatch,
  t: number,
  latent: number,
): number {
  const weight = tensors.get("encoder.weight")!;
  const centre = tensors.get("b_dec")!;
  let sum = tensors.get("encoder.bias")![latent];
  for (let c = 0; c < inputSize; c++) {
    const read = x[t * inputSize + c] - (transcode ? 0 : centre[c]);
    sum += weight[latent * inputSize + c] * read;
  }
  return sum;
}

function decode(
  { inputSize, skipConnection }: CoderShape,
  tensors: Tensors64,
  { x }: ReferenceBatch,
  t: number,
  selected: Selected,
  act: (one: Selected[number]) => number,
  { skip, bias }: { skip: boolean; bias: boolean },
): number[] {
  const decoder = tensors.get("W_dec")!;
  const weight = tensors.get("W_skip");
  const out = Array.from(
    { length: inputSize },
    (_, c) => bias ? tensors.get("b_dec")![c] : 0,
  );
  for (const one of selected) {
    const value = act(one);
    for (let c = 0; c < inputSize; c++) out[c] += value * decoder[one.latent * inputSize + c];
  }
  if (!skip || !skipConnection || !weight) return out;
  return out.map((value, c) => {
    for (let i = 0; i < inputSize; i++) value += weight[c * inputSize + i] * x[t * inputSize + i];
    return value;
  });
}

function squares(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum;
}

function totalVariation(y: ArrayLike<number>, tokens: number, width: number): number {
  let sum = 0;
  for (let c = 0; c < width; c++) {
    let mean = 0;
    for (let t = 0; t < tokens; t++) mean += y[t * width + c] / tokens;
    for (let t = 0; t < tokens; t++) sum += (y[t * width + c] - mean) ** 2;
  }
  return sum;
}
