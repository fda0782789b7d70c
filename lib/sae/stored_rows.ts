/** Rows of stored matrices as numbers, in pieces of bounded size. */
import { type Dtype, toFloat32 } from "../formats/dtype.ts";
import type { MatrixSource, WeightType } from "../gpu/matrix.ts";

const DTYPES: Readonly<Record<WeightType, Dtype>> = { f32: "F32", f16: "F16", bf16: "BF16" };

/** Most bytes of one piece. */
const BLOCK_BYTES = 8 * 2 ** 20;

/** Stored values as f32, all of them exactly. */
export function floatsOf(
  bytes: Uint8Array<ArrayBuffer>,
  type: WeightType,
): Float32Array<ArrayBuffer> {
  return toFloat32(bytes, DTYPES[type]);
}

/** Rows `first` to `first + rows` as they are stored, row-major. */
export interface RowBlock {
  readonly first: number;
  readonly rows: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** All rows of a matrix in order, each read once. */
export async function* rowBlocks(weights: MatrixSource): AsyncGenerator<RowBlock> {
  const rowBytes = weights.columns * (weights.type === "f32" ? 4 : 2);
  const most = Math.max(1, Math.floor(BLOCK_BYTES / rowBytes));
  for (let first = 0; first < weights.rows; first += most) {
    const rows = Math.min(most, weights.rows - first);
    yield { first, rows, bytes: await weights.read(first, first + rows) };
  }
}
