/** Weight matrices on the GPU: stored width, HF layout [rows = outputs, columns = inputs], in shards. */
import type { Gpu, KernelFamily } from "./device.ts";
import { type Allocated, GpuError } from "./memory.ts";
import { strideOf } from "./rows.ts";

/** Widths weights are stored and uploaded in; arithmetic is f32. */
export type WeightType = "f32" | "f16" | "bf16";

/** Where the rows of a matrix come from. */
export interface MatrixSource {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly type: WeightType;
  /** Bytes of rows `from` (inclusive) to `to` (exclusive), row-major and unpadded. */
  read(from: number, to: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Rows `first` to `first + rows` of a matrix, on the GPU. */
export interface Shard extends Disposable {
  readonly first: number;
  readonly rows: number;
  readonly columns: number;
  readonly type: WeightType;
  readonly resource: GPUTexture | GPUBuffer;
}

/** A whole matrix on the GPU. */
export interface Matrix extends Disposable {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly type: WeightType;
  readonly shards: readonly Shard[];
}

/** Values in one 16-byte texel. */
export function perTexel(type: WeightType): number {
  return type === "f32" ? 4 : 8;
}

/** Texels of one row: columns are padded with zeros to a multiple of 64, as activations are. */
export function texelsPerRow(columns: number, type: WeightType): number {
  return strideOf(columns) / perTexel(type);
}

/** Bytes of GPU memory that `rows` rows take. */
export function matrixBytes(rows: number, columns: number, type: WeightType): number {
  return rows * texelsPerRow(columns, type) * 16;
}

/** Upload and read granularity: bounds the staging memory in flight. */
const CHUNK_BYTES = 32 * 1024 * 1024;

/**
 * Row ranges of the shards a matrix is cut into, so that each fits one texture or one binding.
 *
 * @throws GpuError when not even one row fits
 */
export function shardRanges(
  gpu: Gpu,
  rows: number,
  columns: number,
  type: WeightType,
): { first: number; rows: number }[] {
  const most = rowsPerShard(gpu, columns, type);
  return Array.from({ length: Math.ceil(rows / most) }, (_, i) => ({
    first: i * most,
    rows: Math.min(most, rows - i * most),
  }));
}

function rowsPerShard(gpu: Gpu, columns: number, type: WeightType): number {
  const { limits } = gpu;
  const texels = texelsPerRow(columns, type);
  const fits = gpu.identity.family === "texture"
    ? (texels <= limits.maxTextureDimension2D ? limits.maxTextureDimension2D : 0)
    : Math.floor(
      Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize) / (texels * 16) / 64,
    ) * 64;
  if (fits < 1) throw new GpuError(`rows of ${columns} weights are wider than this adapter allows`);
  return fits;
}

/** Uploads some rows of a matrix as one shard. */
export async function uploadShard(
  gpu: Gpu,
  source: MatrixSource,
  range: { first: number; rows: number },
): Promise<Shard> {
  const { columns, type } = source;
  const { first, rows } = range;
  const texels = texelsPerRow(columns, type);
  const memory: Allocated<GPUTexture | GPUBuffer> = gpu.identity.family === "texture"
    ? gpu.texture(source.name, texels, rows, "rgba32uint")
    : gpu.buffer(source.name, rows * texels * 16);
  const step = Math.max(1, Math.floor(CHUNK_BYTES / (texels * 16)));
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    const bytes = await source.read(first + row, first + row + count);
    writeShardRows(gpu, memory.resource, row, count, padRows(bytes, count, columns, type), texels);
    // Staging copies are only released by a submit that completes.
    if (rows > step) {
      gpu.device.queue.submit([]);
      await gpu.settle();
    }
  }
  return {
    first,
    rows,
    columns,
    type,
    resource: memory.resource,
    [Symbol.dispose]: () => memory[Symbol.dispose](),
  };
}

function writeShardRows(
  gpu: Gpu,
  resource: GPUTexture | GPUBuffer,
  row: number,
  count: number,
  bytes: Uint8Array<ArrayBuffer>,
  texels: number,
): void {
  const { queue } = gpu.device;
  if (resource instanceof GPUBuffer) {
    queue.writeBuffer(resource, row * texels * 16, bytes);
  } else {
    const destination = { texture: resource, origin: [0, row] };
    queue.writeTexture(destination, bytes, { bytesPerRow: texels * 16, rowsPerImage: count }, [
      texels,
      count,
    ]);
  }
}

/** Lengthens every row with zeros to whole strides. */
function padRows(
  bytes: Uint8Array<ArrayBuffer>,
  rows: number,
  columns: number,
  type: WeightType,
): Uint8Array<ArrayBuffer> {
  const width = type === "f32" ? 4 : 2;
  const from = columns * width;
  const to = strideOf(columns) * width;
  if (from === to) return bytes;
  const padded = new Uint8Array(rows * to);
  for (let row = 0; row < rows; row++) {
    padded.set(bytes.subarray(row * from, (row + 1) * from), row * to);
  }
  return padded;
}

/** Uploads a whole matrix. */
export async function uploadMatrix(gpu: Gpu, source: MatrixSource): Promise<Matrix> {
  const { name, rows, columns, type } = source;
  const shards: Shard[] = [];
  const dispose = () => shards.forEach((shard) => shard[Symbol.dispose]());
  try {
    for (const range of shardRanges(gpu, rows, columns, type)) {
      shards.push(await uploadShard(gpu, source, range));
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return { name, rows, columns, type, shards, [Symbol.dispose]: dispose };
}

/** The constants of kernels that read weights. */
export function weightConstants(type: WeightType, family: KernelFamily) {
  return { WEIGHTS: type, PER_TEXEL: perTexel(type), FAMILY: family };
}
