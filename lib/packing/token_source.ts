/** What rows of token ids are made of: texts, or lists of ids that lie ready. */
import { parseDatasetConfigs } from "../data/dataset_configs.ts";
import { openDataSet } from "../data/data_sets.ts";
import { hasTokenLists, readTokenLists } from "../data/token_lists.ts";
import {
  fileTexts,
  identified,
  inTurn,
  languageTexts,
  type TextSource,
  type TextSourceOptions,
} from "../data/text_sources.ts";
import { InputError } from "../formats/input_error.ts";
import type { Access } from "../subject/access.ts";
import type { ListSource } from "./list_shards.ts";

/** Which data, named as the published programs name it. */
export interface DataOptions {
  /** A data set that names no language. */
  readonly dataset?: string;
  /** Its configuration. */
  readonly subset?: string;
  readonly split: string;
  /** Texts of languages, in the place of `dataset`. */
  readonly datasetConfigs?: readonly string[];
  readonly textColumn?: string;
  readonly promptTemplate?: string;
  readonly normalForm?: TextSourceOptions["normalForm"];
  /** "paper": languages are one after the other, as one text, and rows may mix them. */
  readonly compat?: "paper";
}

/** What is made into rows. */
export type TokenSource =
  | { readonly kind: "texts"; readonly sources: readonly TextSource[] }
  | { readonly kind: "lists"; readonly source: ListSource };

/**
 * Finds the data that the options name; none of its rows is read yet.
 *
 * @throws InputError when there is no such data, or both a data set and data sets of languages
 */
export async function openTokenSource(
  options: DataOptions,
  { hub, hasher }: Access,
): Promise<TokenSource> {
  const { dataset, subset, split, datasetConfigs, compat, ...reading } = options;
  const texts: TextSourceOptions = { ...reading, compat, hub, hasher };
  if (datasetConfigs) {
    if (dataset !== undefined) {
      throw new InputError(
        `Both the data set ${dataset} and --dataset-configs are given, expected one of them; leave ` +
          `one out.`,
      );
    }
    if (subset !== undefined) {
      throw new InputError(
        `--subset ${subset} is of a data set that names no language; write the configuration into ` +
          `--dataset-configs, as name:${subset}=en.`,
      );
    }
    const specs = parseDatasetConfigs(datasetConfigs, { compat });
    const sources = await languageTexts(specs, texts);
    return { kind: "texts", sources: compat === "paper" ? [inTurn(sources, undefined)] : sources };
  }
  if (dataset === undefined) {
    throw new InputError(
      `No data set is named; give a folder, a file or owner/name on the hub, or --dataset-configs.`,
    );
  }
  const { files, source } = await openDataSet({ name: dataset, subset, split }, hub);
  if (!await hasTokenLists(files[0])) {
    return { kind: "texts", sources: [await fileTexts(files, source, texts)] };
  }
  const identity = await identified(source, hasher);
  const read = (begin: number) => readTokenLists(files, begin);
  for await (const { length } of read(0)) {
    return { kind: "lists", source: { identity, length, read } };
  }
  throw new InputError(`The data set ${dataset} has no rows, expected lists of token ids in them.`);
}
