/** Reading some columns of a matrix back: kernels/gather_columns.wgsl. */
import source from "../../kernels/gather_columns.wgsl" with { type: "text" };
import { type Gpu, ITEM_LANES } from "./device.ts";
import type { Allocated } from "./memory.ts";
import type { Recorder } from "./recorder.ts";
import { bindRows, type Rows, rowsBetween } from "./rows.ts";

/** Bytes that one readback brings; a single row may take more. */
const READ_BYTES = 4 * 2 ** 20;

/** Reads columns back, some rows at a time. Owns the memory that takes. */
export class ColumnReader implements Disposable {
  readonly #gpu: Gpu;
  readonly #values: Allocated<GPUBuffer>;
  readonly #columns: Allocated<GPUBuffer>;

  /** @param most columns of one call */
  constructor(gpu: Gpu, most: number) {
    this.#gpu = gpu;
    this.#values = gpu.buffer("columns read back", Math.max(READ_BYTES, most * 4));
    this.#columns = gpu.buffer("columns wanted", most * 4);
  }

  /** Most bytes of a readback. */
  get readBytes(): number {
    return this.#values.bytes;
  }

  /**
   * Submits what is recorded and reads columns of its result back.
   *
   * @param columns any order, repeats allowed
   * @returns [x.rows, columns.length] row-major
   */
  async read(
    recorder: Recorder,
    x: Rows,
    columns: Uint32Array<ArrayBuffer>,
  ): Promise<Float32Array<ArrayBuffer>> {
    const count = columns.length;
    const found = new Float32Array(x.rows * count);
    if (found.length === 0) return found;
    recorder.submit();
    this.#gpu.write(this.#columns.resource, 0, columns);
    const step = Math.floor(this.#values.bytes / (count * 4));
    for (let from = 0; from < x.rows; from += step) {
      const rows = rowsBetween(x, from, Math.min(x.rows, from + step));
      found.set(await this.#readRows(recorder, rows, count), from * count);
    }
    return found;
  }

  async #readRows(recorder: Recorder, x: Rows, count: number): Promise<Float32Array> {
    const values = this.#values.resource;
    const kernel = this.#gpu.kernel("gather_columns", source, { LANES: ITEM_LANES });
    const bindings = [bindRows(x), this.#columns.resource, values];
    const size = x.rows * count;
    recorder.dispatchItems(kernel, bindings, [size, x.stride, count], Math.ceil(size / ITEM_LANES));
    recorder.submit();
    return new Float32Array(await this.#gpu.read(values, 0, size * 4));
  }

  [Symbol.dispose](): void {
    this.#values[Symbol.dispose]();
    this.#columns[Symbol.dispose]();
  }
}
