/** Weight matrices for tests: values as stored, and the exact f32 values they stand for. */
import type { MatrixSource, WeightType } from "../../lib/gpu/matrix.ts";

/** A matrix source over values rounded to a stored width. */
export interface StoredMatrix extends MatrixSource {
  /** What the stored bytes stand for, row-major. */
  readonly values: Float32Array;
}

/** Rounds values to `type` and offers them as a matrix of `rows` rows. */
export function storedMatrix(
  name: string,
  type: WeightType,
  rows: number,
  exact: Float32Array<ArrayBuffer>,
): StoredMatrix {
  const columns = exact.length / rows;
  const { bytes, values } = store(type, exact);
  const width = bytes.length / exact.length;
  return {
    name,
    rows,
    columns,
    type,
    values,
    read: (from, to) => Promise.resolve(bytes.slice(from * columns * width, to * columns * width)),
  };
}

function store(type: WeightType, exact: Float32Array<ArrayBuffer>) {
  if (type === "f32") return { bytes: new Uint8Array(exact.buffer), values: exact };
  if (type === "f16") {
    const halves = new Float16Array(exact);
    return { bytes: new Uint8Array(halves.buffer), values: new Float32Array(halves) };
  }
  const bits = new Uint32Array(exact.buffer);
  const halves = Uint16Array.from(bits, (word) => word >>> 16);
  const values = new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
  return { bytes: new Uint8Array(halves.buffer), values };
}
