/** What of a training step is sparse, as a workload: decoding and all gradients of selected latents. */
import { recordDecodeTopK } from "../lib/gpu/decode_topk.ts";
import type { Gpu } from "../lib/gpu/device.ts";
import { recordLatentGradients } from "../lib/gpu/latent_gradients.ts";
import { LatentLists } from "../lib/gpu/latent_lists.ts";
import type { Recorder } from "../lib/gpu/recorder.ts";
import { allocateRows, readRows, type Rows, writeRows } from "../lib/gpu/rows.ts";
import { recordSlotGradients } from "../lib/gpu/slot_gradients.ts";
import { StagedMatrix, StagedRows } from "../lib/gpu/staged_rows.ts";
import { allRows, seededMatrix } from "./seeded_matrix.ts";
import type { TrainShape } from "./train_step.ts";
import { type GpuWork, WrongResult } from "./workload.ts";

/** Of a random walk as long as the sum: f32 sums of some thousand products. */
const TOLERANCE = 1e-4;

/** Random rows, and latents that each token selects evenly. */
export function sparseGradients(gpu: Gpu, { tokens, columns, latents, k }: TrainShape): GpuWork {
  using stack = new DisposableStack();
  const rows = (name: string, count: number, width: number) =>
    stack.use(allocateRows(gpu, name, count, width));
  const random = (name: string, count: number, seed: number): Rows => {
    const matrix = rows(name, count, columns);
    writeRows(gpu, matrix, allRows(seededMatrix(name, "f32", count, columns, seed)));
    return matrix;
  };
  const buffer = (name: string, values: Float32Array | Uint32Array) =>
    stack.use(gpu.bufferOf(name, values)).resource;
  const [x, w] = [random("x", tokens, 0), random("W_dec", latents, tokens)];
  const residuals = rows("residuals", tokens, columns);
  const gradients = {
    decoder: rows("dW_dec", latents, columns),
    encoder: rows("dW_enc", latents, columns),
    bias: rows("db_enc", 1, latents),
  };
  const staged = stack.use(new StagedMatrix(gpu, "staged W_dec", latents, columns));
  const stagedResiduals = stack.use(new StagedRows(gpu, "staged residuals", tokens, columns));
  const stagedX = stack.use(new StagedRows(gpu, "staged x", tokens, columns));
  const values = { buffer: buffer("values", new Float32Array(tokens * k).fill(1)) };
  const indices = { buffer: buffer("indices", selectedLatents(tokens, latents, k)) };
  const slots = { buffer: stack.use(gpu.buffer("slots", tokens * k * 8)).resource };
  const factors = buffer("factors", Float32Array.of(1));
  const lists = stack.use(new LatentLists(gpu, latents, Math.ceil(tokens / 64) * 64, 1, k));
  const owned = stack.move();
  const record = (recorder: Recorder) => {
    const decoder = staged.record(recorder, w);
    const entries = { values, indices };
    const into = { matrix: residuals, first: 0, tokens };
    recordDecodeTopK(gpu, recorder, entries, k, decoder, into, { target: x });
    const r = stagedResiduals.record(recorder, residuals);
    const shares = { factors, factor: 0, encoder: true, clipped: false };
    const own = { ...entries, tokens, k, slots, firstResidual: 0 };
    recordSlotGradients(gpu, recorder, own, r, decoder, residuals.stride / 4, shares);
    lists.record(recorder, tokens, [{ section: 0, k, indices, slots, residuals: 0 }]);
    recordLatentGradients(gpu, recorder, lists, r, stagedX.record(recorder, x), gradients);
  };
  return {
    name: `${tokens} × ${columns}, ${latents} latents, k ${k}`,
    record,
    check: async () => {
      const recorder = gpu.recorder();
      for (const { buffer } of Object.values(gradients)) recorder.clear(buffer);
      record(recorder);
      recorder.submit();
      // Every value is 1, so the decoder's gradients add up to k times the residuals.
      const left = await readRows(gpu, residuals);
      const found = sum(await readRows(gpu, gradients.decoder));
      const scale = k * Math.sqrt(left.reduce((total, value) => total + value ** 2, 0));
      if (!(Math.abs(found - k * sum(left)) <= TOLERANCE * scale)) {
        throw new WrongResult(`gradients add up to ${found}, expected ${k * sum(left)}`);
      }
    },
    [Symbol.dispose]: () => owned[Symbol.dispose](),
  };
}

/** Different latents for each token, all equally often. */
function selectedLatents(tokens: number, latents: number, k: number): Uint32Array<ArrayBuffer> {
  // A prime step visits all latents before one comes again.
  const step = 7919;
  return Uint32Array.from({ length: tokens * k }, (_, slot) => slot * step % latents);
}

function sum(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0);
}
