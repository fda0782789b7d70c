/** A Llama and its tokenizer, from a folder, a GGUF file or a hub. */
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type FileTree, isFile, openFileTree } from "../data/file_tree.ts";
import { readJson, readText } from "../data/files.ts";
import { openSafetensorsFolder } from "../data/safetensors_files.ts";
import { openGguf } from "../data/gguf_files.ts";
import { InputError } from "../formats/input_error.ts";
import type { TensorSource } from "../formats/tensor_source.ts";
import { loadTokenizer, type Tokenizer } from "../formats/tokenizer.ts";
import { type LlamaConfig, parseLlamaConfig } from "../nn/config.ts";
import { type GenerationDefaults, parseGenerationConfig } from "../nn/generation_config.ts";
import { type Access, type FileHashes, hashFiles } from "./access.ts";

/** A model whose weights lie in files. */
export interface OpenModel extends Disposable {
  readonly name: string;
  readonly config: LlamaConfig;
  readonly tensors: TensorSource;
  readonly tokenizer: Tokenizer;
  readonly generation: GenerationDefaults;
  readonly hashes: FileHashes;
}

/** Files of a checkpoint in Hugging Face layout. */
const CONFIG = "config.json";
const GENERATION_CONFIG = "generation_config.json";
const TOKENIZER = "tokenizer.json";
const TOKENIZER_CONFIG = "tokenizer_config.json";
const WHOLE = "model.safetensors";
const SHARDS = /^model(-.*\.safetensors|\.safetensors\.index\.json)$/;

/** The embedded model. */
export const EMBEDDED_MODEL = fileURLToPath(new URL("../../assets/demo/model/", import.meta.url));

/**
 * Opens a model; no weights are read yet.
 *
 * @param name a folder in Hugging Face layout, a GGUF file, `owner/name` on the hub, or
 *   `owner/name/file.gguf` there; the embedded model if not given
 * @throws InputError for anything that is missing, malformed or not supported
 */
export async function openModel(name: string | undefined, access: Access): Promise<OpenModel> {
  if (name?.endsWith(".gguf")) return await openGgufModel(...await findGguf(name, access), access);
  const tree = await openFileTree(name ?? EMBEDDED_MODEL, "model", access.hub);
  const checkpoint = checkpointFiles(tree);
  if (checkpoint) {
    const isEmbedded = name === undefined || name === EMBEDDED_MODEL;
    return await openCheckpoint(isEmbedded ? "embedded" : tree.title, tree, checkpoint, access);
  }
  const files = tree.paths.filter((path) => path.endsWith(".gguf"));
  if (files.length === 1) return await openGgufModel(await tree.local(files), files[0], access);
  throw new InputError(
    files.length > 1
      ? `${name} holds several GGUF files; name one of them: ${
        files.map((file) => `${name}/${file}`).join(", ")
      }.`
      : `${name} holds no model: expected ${CONFIG}, ${TOKENIZER} and ${WHOLE}, or a GGUF file; found ` +
        `${tree.paths.slice(0, 8).join(", ") || "nothing"}.`,
  );
}

/** Files of a checkpoint that are needed, of all that lie there. */
export interface CheckpointFiles {
  /** Small ones: config and tokenizer. */
  readonly settings: readonly string[];
  readonly weights: readonly string[];
}

/** What of a folder in Hugging Face layout is needed; undefined when it is not one. */
export function checkpointFiles({ paths }: FileTree): CheckpointFiles | undefined {
  if (!paths.includes(CONFIG)) return undefined;
  return {
    settings: [CONFIG, TOKENIZER, TOKENIZER_CONFIG].filter((path) => paths.includes(path)),
    weights: paths.includes(WHOLE) ? [WHOLE] : paths.filter((path) => SHARDS.test(path)),
  };
}

async function openCheckpoint(
  name: string,
  tree: FileTree,
  { settings, weights }: CheckpointFiles,
  access: Access,
): Promise<OpenModel> {
  // What is missing is found out from the small files, before gigabytes are fetched.
  const folder = await tree.local(settings);
  const configJson = await readJson(join(folder, CONFIG));
  const config = parseLlamaConfig(configJson, join(folder, CONFIG));
  const tokenizer = await openTokenizer(folder, settings, config);
  const generation = await openGeneration(tree, configJson);
  await tree.local(weights);
  using owned = new DisposableStack();
  const tensors = owned.use(await openSafetensorsFolder(folder));
  const hashes = await hashFiles(access, folder, [...settings, ...weights].sort());
  const kept = owned.move();
  const dispose = () => kept[Symbol.dispose]();
  return { name, config, tensors, tokenizer, generation, hashes, [Symbol.dispose]: dispose };
}

/** Its file is no part of the hashes: it decides nothing that is counted. */
async function openGeneration(tree: FileTree, config: unknown): Promise<GenerationDefaults> {
  if (!tree.paths.includes(GENERATION_CONFIG)) return parseGenerationConfig(undefined, config, "");
  const path = join(await tree.local([GENERATION_CONFIG]), GENERATION_CONFIG);
  return parseGenerationConfig(await readJson(path), config, path);
}

/**
 * The tokenizer of a checkpoint.
 *
 * @param folder where its files are
 * @param files names of those that are there
 * @throws InputError when it is missing, malformed or not supported
 */
export async function openTokenizer(
  folder: string,
  files: readonly string[],
  { bosTokenId }: LlamaConfig,
): Promise<Tokenizer> {
  const path = join(folder, TOKENIZER);
  const config = files.includes(TOKENIZER_CONFIG)
    ? await readText(join(folder, TOKENIZER_CONFIG))
    : undefined;
  return loadTokenizer(await readText(path), config, path, { bosId: bosTokenId });
}

/** Folder and name of a GGUF file that is named by its path, here or on the hub. */
async function findGguf(name: string, access: Access): Promise<[folder: string, file: string]> {
  if (await isFile(name)) return [dirname(name), basename(name)];
  const tree = await openFileTree(dirname(name), "model", access.hub);
  const file = basename(name);
  if (!tree.paths.includes(file)) {
    throw new InputError(
      `There is no file ${name}; ${tree.name} has ${
        tree.paths.filter((path) => path.endsWith(".gguf")).slice(0, 8).join(", ") || "no GGUF file"
      }.`,
    );
  }
  return [await tree.local([file]), file];
}

async function openGgufModel(folder: string, file: string, access: Access): Promise<OpenModel> {
  using owned = new DisposableStack();
  const { config, tensors, tokenizer, generation, files } = owned.use(
    await openGguf(join(folder, file)),
  );
  const hashes = await hashFiles(access, folder, files);
  const kept = owned.move();
  const dispose = () => kept[Symbol.dispose]();
  return { name: file, config, tensors, tokenizer, generation, hashes, [Symbol.dispose]: dispose };
}
