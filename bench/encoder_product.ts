/** The product of an SAE's encoder alone, ReLU(X W_encᵀ + b_enc), with all weights on the GPU. */
import type { Gpu } from "../lib/gpu/device.ts";
import { recordShardMatMul } from "../lib/gpu/matmul.ts";
import { uploadMatrix } from "../lib/gpu/matrix.ts";
import { allocateRows, readRows, rowsBetween, strideOf, writeRows } from "../lib/gpu/rows.ts";
import { tokensPerPiece } from "../lib/sae/encoder.ts";
import { checkProducts, type LinearShape } from "./linear.ts";
import { allRows, type MeasuredType, seededMatrix } from "./seeded_matrix.ts";
import type { Workload } from "./workload.ts";

/**
 * The products that {@linkcode encode} does, shard by shard and some tokens at a time: what an encode
 * takes longer than this is TopK. As a workload of its own its peers do the whole product at once.
 */
export async function encoderProduct(
  gpu: Gpu,
  shape: LinearShape,
  type: MeasuredType,
): Promise<Workload> {
  const { tokens, columns, outs } = shape;
  using stack = new DisposableStack();
  const x = seededMatrix("x", "f32", tokens, columns, 0);
  const w = seededMatrix("W_enc", type, outs, columns, tokens);
  const bias = stack.use(gpu.buffer("b_enc", strideOf(outs) * 4)).resource;
  const input = stack.use(allocateRows(gpu, "x", tokens, columns));
  const { shards } = stack.use(await uploadMatrix(gpu, w));
  const widest = shards[0].rows;
  const most = Math.min(tokens, tokensPerPiece(gpu, widest));
  const pieces = new Map(
    shards.map(({ rows }) => rows).map((latents) => [
      latents,
      stack.use(allocateRows(gpu, "pre-activations", most, latents)),
    ]),
  );
  writeRows(gpu, input, allRows(x));
  const owned = stack.move();
  const last = shards.at(-1)!;
  const lastFrom = Math.floor((tokens - 1) / most) * most;
  return {
    name: `${tokens} × ${columns}→${outs}, ${type}`,
    flops: 2 * tokens * columns * outs,
    task: { task: "linear", ...shape },
    record(recorder) {
      for (const shard of shards) {
        for (let from = 0; from < tokens; from += most) {
          const rows = rowsBetween(input, from, Math.min(tokens, from + most));
          const piece = rowsBetween(pieces.get(shard.rows)!, 0, rows.rows);
          const offset = shard.first * 4;
          const epilogue = { bias: { buffer: bias, offset }, relu: true };
          recordShardMatMul(gpu, recorder, rows, shard, piece, epilogue, shard.first);
        }
      }
    },
    async check() {
      const piece = rowsBetween(pieces.get(last.rows)!, 0, tokens - lastFrom);
      const y = await readRows(gpu, piece);
      checkProducts(
        y,
        (token) => x.row(lastFrom + token),
        (out) => w.row(last.first + out),
        { tokens: piece.rows, columns, outs: last.rows },
        (sum) => Math.max(0, sum),
      );
    },
    [Symbol.dispose]: () => owned[Symbol.dispose](),
  };
}
