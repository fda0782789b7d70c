/** Reads of tensors as the program does them, of bounded size. */
import { toFloat32 } from "../../lib/formats/dtype.ts";
import type { TensorSource } from "../../lib/formats/tensor_source.ts";

/** Rows and columns read at each end of a tensor: larger ones are not read whole. */
const MOST = 64;

/** Every tensor by its first and last rows and columns, as floats where it holds floats. */
export async function readTensors(tensors: TensorSource): Promise<void> {
  for (const name of tensors.names()) {
    const { dtype, shape, begin, end } = tensors.info(name);
    const rows = shape[0] ?? 1;
    const first = await tensors.read(name, 0, Math.min(rows, MOST));
    await tensors.read(name, Math.max(0, rows - MOST), rows);
    if (/^B?F(16|32)$/.test(dtype)) toFloat32(first, dtype, name);
    if (end - begin < 2 ** 20) await tensors.read(name);
    if (shape.length !== 2 || end === begin) continue;
    await tensors.readColumns(name, 0, Math.min(shape[1], MOST));
    await tensors.readColumns(name, Math.max(0, shape[1] - MOST), shape[1]);
  }
}
