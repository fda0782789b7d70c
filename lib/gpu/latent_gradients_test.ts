import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { nmse, randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { sample } from "../stats/random.ts";
import { recordDecodeTopK } from "./decode_topk.ts";
import { recordLatentGradients } from "./latent_gradients.ts";
import { LatentLists } from "./latent_lists.ts";
import { allocateRows, readRows, writeRows } from "./rows.ts";
import { recordSlotGradients } from "./slot_gradients.ts";
import { StagedMatrix, StagedRows } from "./staged_rows.ts";

/** f32 sums of up to some ten thousand products against f64. */
const TOLERANCE = 1e-10;

/**
 * Odd sizes; a latent that every token selects; more latents than a binding's range and a grid's workgroups
 * along x; and on GPUs, whose chunks are not bounded by textures, as many tokens.
 */
const SIZES: [tokens: number, width: number, latents: number, k: number][] = [
  [1, 1, 1, 1],
  [33, 31, 65, 9],
  [130, 257, 70, 3],
  [20, 900, 33, 8],
  [20, 3, 33_000, 8],
];
const MANY_TOKENS: typeof SIZES[number] = [33_000, 3, 40, 2];

for (const family of FAMILIES) {
  Deno.test(`sparse decode, and gradients per latent, against f64: ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    for (const [tokens, width, latents, k] of family === "tile" ? [...SIZES, MANY_TOKENS] : SIZES) {
      const random = seededRandom(tokens + width);
      const x = randomValues(random, tokens * width);
      const target = randomValues(random, tokens * width);
      const decoder = randomValues(random, latents * width);
      const values = randomValues(random, tokens * k).map((value) => Math.max(0, value));
      // The last latent is in every token's selection, the rest is drawn.
      const indices = Uint32Array.from(
        Array.from({ length: tokens }, () => [latents - 1, ...sample(random, latents - 1, k - 1)])
          .flat(),
      );
      using input = allocateRows(gpu, "x", tokens, width);
      using goal = allocateRows(gpu, "target", tokens, width);
      using weights = allocateRows(gpu, "decoder", latents, width);
      using residuals = allocateRows(gpu, "r", tokens, width);
      using found = gpu.bufferOf("values", values);
      using latentOf = gpu.bufferOf("indices", indices);
      using slots = gpu.buffer("slots", tokens * k * 8);
      using factors = gpu.bufferOf("factors", Float32Array.of(0, 0.5));
      using decoderGradient = allocateRows(gpu, "dW_dec", latents, width);
      using encoderGradient = allocateRows(gpu, "dW_enc", latents, width);
      using biasGradient = allocateRows(gpu, "db_enc", 1, latents);
      using stagedWeights = new StagedMatrix(gpu, "staged decoder", latents, width);
      using stagedResiduals = new StagedRows(gpu, "staged residuals", tokens, width);
      using stagedInputs = new StagedRows(gpu, "staged inputs", tokens, width);
      using lists = new LatentLists(gpu, latents, Math.ceil(tokens / 64) * 64, 1, k);
      writeRows(gpu, input, x);
      writeRows(gpu, goal, target);
      writeRows(gpu, weights, decoder);

      const entries = {
        values: { buffer: found.resource },
        indices: { buffer: latentOf.resource },
      };
      const into = { matrix: residuals, first: 0, tokens };
      const own = { buffer: slots.resource };
      const recorder = gpu.recorder();
      const rows = stagedWeights.record(recorder, weights);
      recordDecodeTopK(gpu, recorder, entries, k, rows, into, { target: goal });
      const r = stagedResiduals.record(recorder, residuals);
      recordSlotGradients(
        gpu,
        recorder,
        { ...entries, tokens, k, slots: own, firstResidual: 0 },
        r,
        rows,
        residuals.stride / 4,
        { factors: factors.resource, factor: 1, encoder: true, clipped: false },
      );
      lists.record(recorder, tokens, [
        { section: 0, k, indices: entries.indices, slots: own, residuals: 0 },
      ]);
      const gradients = {
        decoder: decoderGradient,
        encoder: encoderGradient,
        bias: biasGradient,
      };
      const stagedX = stagedInputs.record(recorder, input);
      recordLatentGradients(gpu, recorder, lists, r, stagedX, gradients);
      recorder.submit();

      const left = Float64Array.from(target, (value) => -value);
      const expected = {
        decoder: new Float64Array(latents * width),
        encoder: new Float64Array(latents * width),
        bias: new Float64Array(latents),
      };
      indices.forEach((latent, slot) => {
        const token = Math.floor(slot / k);
        for (let c = 0; c < width; c++) {
          left[token * width + c] += values[slot] * decoder[latent * width + c];
        }
      });
      indices.forEach((latent, slot) => {
        const token = Math.floor(slot / k);
        if (values[slot] === 0) return;
        let share = 0;
        for (let c = 0; c < width; c++) {
          share += 0.5 * left[token * width + c] * decoder[latent * width + c];
        }
        expected.bias[latent] += share;
        for (let c = 0; c < width; c++) {
          const at = latent * width + c;
          expected.decoder[at] += 0.5 * values[slot] * left[token * width + c];
          expected.encoder[at] += share * x[token * width + c];
        }
      });
      const size = `of ${tokens} × ${width}`;
      assertClose(`residuals ${size}`, await readRows(gpu, residuals), left);
      for (const [name, values] of Object.entries(expected)) {
        const gradient = gradients[name as keyof typeof gradients];
        assertClose(`${name} ${size}`, await readRows(gpu, gradient), values);
      }
    }
  });
}

function assertClose(what: string, found: ArrayLike<number>, expected: ArrayLike<number>): void {
  const error = nmse(found, expected);
  assert.ok(error <= TOLERANCE, `${what}: normalised mean squared error ${error}`);
}
