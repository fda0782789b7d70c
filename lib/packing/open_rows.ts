/** The data that a training run names → rows of token ids. */
import { join } from "node:path";
import { isFile } from "../data/file_tree.ts";
import {
  openTokenBin,
  openTokenFolder,
  openTokenTensors,
  TOKEN_INDEX,
  type TokenRows,
} from "../data/token_rows.ts";
import type { Access } from "../subject/access.ts";
import type { ModelTokenizer } from "../subject/open_tokenizer.ts";
import { pretokenise, type Pretokenised } from "./pretokenise.ts";
import { type DataOptions, openTokenSource } from "./token_source.ts";

/** Which data, and how texts among them become rows. */
export interface TrainingDataOptions extends DataOptions {
  /** Tokens of a row, where the data does not say so itself. */
  readonly contextLength: number;
  /** Processes that the published program would run: under `compat` "paper" rows depend on it. */
  readonly processes: number;
}

/** Documents of a shard; no row depends on it. */
const SHARD_TEXTS = 10_000;

/**
 * Opens the data to train on: a folder that `pretokenize` wrote, a `.bin` or `.safetensors` file of
 * token ids, else texts or lists of ids, which are first made into rows in `folder` and found there
 * by the next run (spec train-and-interpret A.5).
 *
 * @param folder where rows are kept that have to be made
 * @param show told how far making them is
 * @throws InputError when the data cannot be had
 */
export async function openTrainingRows(
  options: TrainingDataOptions,
  model: ModelTokenizer,
  access: Access,
  folder: string,
  show?: (done: Pretokenised) => void,
): Promise<TokenRows> {
  const { dataset, contextLength, processes, compat } = options;
  if (dataset !== undefined && !options.datasetConfigs) {
    if (dataset.endsWith(".bin")) return await openTokenBin(dataset, contextLength, access.hasher);
    if (dataset.endsWith(".safetensors")) {
      return await openTokenTensors(dataset, contextLength, access.hasher);
    }
    if (await isFile(join(dataset, TOKEN_INDEX))) {
      return await openTokenFolder(dataset, access.hasher);
    }
  }
  const source = await openTokenSource(options, access);
  await pretokenise(
    source,
    model,
    {
      contextLength,
      processes,
      compat,
      batchSize: SHARD_TEXTS,
      mapped: "all",
      name: shardName(options),
    },
    folder,
    show,
  );
  return await openTokenFolder(folder, access.hasher);
}

/** What shards are called: after the split, as the published program's folders are. */
export function shardName({ split }: Pick<DataOptions, "split">): string {
  return split.replace(/[^\w.-]+/g, "-") || "rows";
}
