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
  readonly resource: GPUTexture | GPUBuffer | GPUBufferBinding;
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

/** Rows that textures interleave (kernels/weights.wgsl). */
export const PANEL = 8;

/** Most rows of one shard in a texture: bounds what has to move when weights are streamed. */
export const SHARD_ROWS = 16384;

/** How a texture holds panels of rows. */
export interface PanelLayout {
  /** Lines of the texture that a panel takes. */
  readonly segments: number;
  /** Texels of each row in one segment; the last segment is filled up with zeros. */
  readonly texels: number;
}

/** The layout of rows of `columns` weights; segments are as few as the adapter's textures allow. */
export function panelLayout(gpu: Gpu, columns: number, type: WeightType): PanelLayout {
  const texels = texelsPerRow(columns, type);
  const widest = Math.floor(gpu.limits.maxTextureDimension2D / PANEL);
  const segments = Math.ceil(texels / widest);
  return { segments, texels: Math.ceil(texels / segments) };
}

/** Bytes of GPU memory that `rows` rows take. */
export function matrixBytes(gpu: Gpu, rows: number, columns: number, type: WeightType): number {
  if (gpu.identity.family === "tile") return rows * texelsPerRow(columns, type) * 16;
  const { segments, texels } = panelLayout(gpu, columns, type);
  return Math.ceil(rows / PANEL) * PANEL * segments * texels * 16;
}

/** Upload and read granularity: bounds the staging memory in flight. */
const CHUNK_BYTES = 32 * 1024 * 1024;

/** Row ranges of the shards a matrix is cut into, so that each fits one texture or one binding. */
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

function rowsPerShard({ identity, limits }: Gpu, columns: number, type: WeightType): number {
  if (identity.family === "texture") return SHARD_ROWS;
  const bytes = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  const fits = Math.floor(bytes / (texelsPerRow(columns, type) * 16) / 64) * 64;
  if (fits < 1) throw new GpuError(`rows of ${columns} weights are wider than this adapter allows`);
  return fits;
}

/**
 * Uploads some rows of a matrix as one shard.
 *
 * @throws GpuError when they do not fit the memory budget or this adapter
 */
export async function uploadShard(
  gpu: Gpu,
  source: MatrixSource,
  range: { first: number; rows: number },
): Promise<Shard> {
  const { columns, type } = source;
  const { first, rows } = range;
  const texels = texelsPerRow(columns, type);
  const target = allocateShard(gpu, source, rows);
  const step = Math.max(PANEL, Math.floor(CHUNK_BYTES / (texels * 16) / PANEL) * PANEL);
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    const bytes = await source.read(first + row, first + row + count);
    target.write(row, padRows(bytes, count, columns, type));
    // Staging copies are only released by a submit that completes.
    if (rows > step) {
      gpu.device.queue.submit([]);
      await gpu.settle();
    }
  }
  const { resource, [Symbol.dispose]: dispose } = target.memory;
  return { first, rows, columns, type, resource, [Symbol.dispose]: dispose };
}

interface ShardTarget {
  readonly memory: Allocated<GPUTexture | GPUBuffer>;
  /** Writes whole rows (padded to strides) from `row` on, a multiple of PANEL. */
  write(row: number, bytes: Uint8Array<ArrayBuffer>): void;
}

function allocateShard(
  gpu: Gpu,
  { name, columns, type }: MatrixSource,
  rows: number,
): ShardTarget {
  const rowBytes = texelsPerRow(columns, type) * 16;
  const { queue } = gpu.device;
  if (gpu.identity.family === "tile") {
    const memory = gpu.buffer(name, rows * rowBytes);
    return {
      memory,
      write: (row, bytes) => queue.writeBuffer(memory.resource, row * rowBytes, bytes),
    };
  }
  const layout = panelLayout(gpu, columns, type);
  const width = PANEL * layout.texels;
  const lines = Math.ceil(rows / PANEL) * layout.segments;
  if (lines > gpu.limits.maxTextureDimension2D) {
    throw new GpuError(`rows of ${columns} weights are wider than this adapter allows`);
  }
  const memory = gpu.texture(name, width, lines, "rgba32uint");
  return {
    memory,
    write(row, bytes) {
      const panels = interleave(bytes, bytes.length / rowBytes, layout);
      const height = panels.length / 4 / width;
      const destination = { texture: memory.resource, origin: [0, row / PANEL * layout.segments] };
      const size = [width, height];
      queue.writeTexture(
        destination,
        panels,
        { bytesPerRow: width * 16, rowsPerImage: height },
        size,
      );
    },
  };
}

/** Rows as panels (kernels/weights.wgsl); rows and texels that are missing are zero. */
function interleave(
  bytes: Uint8Array<ArrayBuffer>,
  rows: number,
  { segments, texels }: PanelLayout,
): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const perRow = words.length / rows;
  const panels = new Uint32Array(Math.ceil(rows / PANEL) * segments * texels * PANEL * 4);
  for (let row = 0; row < rows; row++) {
    const panel = Math.floor(row / PANEL) * segments * texels * PANEL * 4;
    let to = panel + (row % PANEL) * 4;
    const from = row * perRow;
    // Segments of a panel follow each other, so texel k is simply PANEL texels after texel k - 1.
    for (let at = from; at < from + perRow; at += 4) {
      panels[to] = words[at];
      panels[to + 1] = words[at + 1];
      panels[to + 2] = words[at + 2];
      panels[to + 3] = words[at + 3];
      to += PANEL * 4;
    }
  }
  return panels;
}

/** Lengthens every row with zeros to whole strides; the result is aligned to words. */
function padRows(
  bytes: Uint8Array<ArrayBuffer>,
  rows: number,
  columns: number,
  type: WeightType,
): Uint8Array<ArrayBuffer> {
  const width = type === "f32" ? 4 : 2;
  const from = columns * width;
  const to = strideOf(columns) * width;
  if (from === to && bytes.byteOffset % 4 === 0) return bytes;
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
  return { WEIGHTS: type, PER_TEXEL: perTexel(type), PANEL, FAMILY: family };
}
