/** The tokenizer of a model, without the gigabytes of its weights. */
import { join } from "node:path";
import { openFileTree } from "../data/file_tree.ts";
import { readJson } from "../data/files.ts";
import type { Tokenizer } from "../formats/tokenizer.ts";
import { parseLlamaConfig } from "../nn/config.ts";
import { type Access, type FileHashes, hashFiles } from "./access.ts";
import { checkpointFiles, EMBEDDED_MODEL, openModel, openTokenizer } from "./open_model.ts";

/** A tokenizer, and what its model knows of tokens. */
export interface ModelTokenizer {
  /** The model's name. */
  readonly name: string;
  readonly tokenizer: Tokenizer;
  /** Tokens that the model knows. */
  readonly vocabularySize: number;
  /** Of the files that decide the tokens. */
  readonly hashes: FileHashes;
}

/**
 * Opens the tokenizer of a model as {@linkcode openModel} takes it; of a checkpoint on the hub only
 * its small files are fetched.
 *
 * @throws InputError for anything that is missing, malformed or not supported
 */
export async function openModelTokenizer(
  name: string | undefined,
  access: Access,
): Promise<ModelTokenizer> {
  const tree = name?.endsWith(".gguf")
    ? undefined
    : await openFileTree(name ?? EMBEDDED_MODEL, "model", access.hub);
  const files = tree && checkpointFiles(tree);
  if (!tree || !files) {
    using model = await openModel(name, access);
    const { tokenizer, config, hashes } = model;
    return { name: model.name, tokenizer, vocabularySize: config.vocabularySize, hashes };
  }
  const folder = await tree.local(files.settings);
  const path = join(folder, "config.json");
  const config = parseLlamaConfig(await readJson(path), path);
  return {
    name: name === undefined || name === EMBEDDED_MODEL ? "embedded" : tree.title,
    tokenizer: await openTokenizer(folder, files.settings, config),
    vocabularySize: config.vocabularySize,
    hashes: await hashFiles(access, folder, files.settings),
  };
}
