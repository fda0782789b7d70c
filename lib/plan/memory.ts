/** What counting takes of GPU memory, foretold from shapes alone. */
import { SHARD_ROWS } from "../gpu/matrix.ts";
import type { LlamaConfig } from "../nn/config.ts";

/** What decides it. */
export interface CountShape {
  readonly config: LlamaConfig;
  /** Hookpoints that are counted. */
  readonly hookpoints: number;
  /** Latents of each SAE; 0 for neurons. */
  readonly latents: number;
  /** Bytes of one weight of the model and of the SAEs, as stored. */
  readonly modelWidth: number;
  readonly saeWidth: number;
  /** Most tokens and texts of a batch. */
  readonly tokens: number;
  readonly examples: number;
  /** Most groups of documents that are counted apart. */
  readonly documentGroups: number;
}

/** Bytes of GPU memory. */
export interface CountMemory {
  /** With weights streamed: about the least `--memory-budget` that works. */
  readonly least: number;
  /** With all weights kept, which spares reading them again for every batch. */
  readonly most: number;
}

/** Bytes that a unit's counts take, beside those by group (kernels/accumulate.wgsl). */
const UNIT_BYTES = 24;
/** Wide intermediate values: MLP gate and up, pre-activations and their TopK. */
const PIECES_BYTES = 192 * 2 ** 20;

/** Foretells the memory of counting; good to about a fifth. */
export function countMemory(shape: CountShape): CountMemory {
  const { config, hookpoints, latents, modelWidth, saeWidth, tokens, examples, documentGroups } =
    shape;
  const { hiddenSize, mlpSize, heads, keyValueHeads, headDim, layers, vocabularySize } = config;
  const queries = heads * headDim;
  const keysAndValues = 2 * keyValueHeads * headDim;
  const activations = 4 * tokens * (4 * hiddenSize + 2 * queries + keysAndValues);
  const units = latents || mlpSize;
  const unitBytes = UNIT_BYTES + 4 * documentGroups;
  const counts = hookpoints * units * unitBytes + (latents ? examples * units / 8 : 0);
  const block = modelWidth * hiddenSize * (2 * queries + keysAndValues + 3 * mlpSize);
  const shard = (rows: number, width: number) => Math.min(rows, SHARD_ROWS) * hiddenSize * width;
  const streamed = Math.max(block, shard(latents, saeWidth), shard(vocabularySize, modelWidth));
  const scratch = Math.min(PIECES_BYTES, 4 * tokens * (2 * mlpSize + units));
  const least = activations + counts + scratch + streamed;
  const weights = layers * block + modelWidth * vocabularySize * hiddenSize +
    hookpoints * latents * hiddenSize * saeWidth;
  return { least, most: least - streamed + weights };
}
