/**
 * A gate and what it gates in one matrix: their rows by turns, so that one product has both of a neuron in
 * one invocation (kernels/matmul_*.wgsl).
 */
import type { Gpu } from "./device.ts";
import { type MatrixSource, PANEL } from "./matrix.ts";

/**
 * Rows of the gate before as many of what it gates: half a panel of a texture, or the distance of the
 * results of an invocation.
 */
export function gateTurn({ identity }: Gpu): number {
  return identity.family === "texture" ? PANEL / 2 : 16;
}

/**
 * Two matrices of one shape by turns of `turn` rows; the last turns are filled up with zeros.
 *
 * @throws RangeError when their shapes or types differ
 */
export function gatedMatrix(
  name: string,
  gate: MatrixSource,
  up: MatrixSource,
  turn: number,
): MatrixSource {
  const { rows, columns, type } = gate;
  if (up.rows !== rows || up.columns !== columns || up.type !== type) {
    throw new RangeError(`${gate.name} and ${up.name} have different shapes or types`);
  }
  const bytes = columns * (type === "f32" ? 4 : 2);
  return {
    name,
    rows: gatedRows(rows, turn),
    columns,
    type,
    async read(from, to) {
      const target = new Uint8Array((to - from) * bytes);
      const first = Math.floor(from / (2 * turn)) * turn;
      const end = Math.min(Math.ceil(to / (2 * turn)) * turn, rows);
      for (const [half, source] of [gate, up].entries()) {
        const values = await source.read(first, end);
        for (let row = first; row < end; row++) {
          const at = gatedRow(row, half, turn);
          if (at < from || at >= to) continue;
          const start = (row - first) * bytes;
          target.set(values.subarray(start, start + bytes), (at - from) * bytes);
        }
      }
      return target;
    },
  };
}

/** Two vectors of one length, by the same turns. */
export function gatedVector(
  gate: Float32Array,
  up: Float32Array,
  turn: number,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(gatedRows(gate.length, turn));
  for (const [half, vector] of [gate, up].entries()) {
    vector.forEach((value, row) => values[gatedRow(row, half, turn)] = value);
  }
  return values;
}

function gatedRows(rows: number, turn: number): number {
  return 2 * turn * Math.ceil(rows / turn);
}

/** Where a row of the gate (half 0) or of what it gates (half 1) lies. */
function gatedRow(row: number, half: number, turn: number): number {
  return 2 * turn * Math.floor(row / turn) + half * turn + row % turn;
}
