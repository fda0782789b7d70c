/** Models in GGUF files: config, weights and tokenizer from one file. */

import { basename, dirname, join } from "node:path";
import { ggufTensors, parseGguf } from "../formats/gguf.ts";
import { loadGgufTokenizer } from "../formats/gguf_tokenizer.ts";
import { InputError } from "../formats/input_error.ts";
import type { TensorSource } from "../formats/tensor_source.ts";
import { loadTokenizer, type Tokenizer } from "../formats/tokenizer.ts";
import type { LlamaConfig } from "../nn/config.ts";
import { type GenerationDefaults, parseGenerationConfig } from "../nn/generation_config.ts";
import { ggufLlama } from "../nn/gguf_llama.ts";
import { openFileSource } from "./file_source.ts";
import { listFolder, readText } from "./files.ts";

/** An open model. */
export interface GgufModel extends Disposable {
  readonly config: LlamaConfig;
  /** Under the names of a Hugging Face checkpoint. */
  readonly tensors: TensorSource;
  readonly tokenizer: Tokenizer;
  readonly generation: GenerationDefaults;
  /** Files that decide what the model does, by their names in the folder of the GGUF. */
  readonly files: readonly string[];
}

const TOKENIZER = "tokenizer.json";
const TOKENIZER_CONFIG = "tokenizer_config.json";

/**
 * Opens a GGUF file; weights are read when they are used, by ranges. A tokenizer.json beside the file
 * takes the place of the tokenizer in it.
 *
 * @throws InputError when the file cannot be read, or holds a model or tokenizer that is not supported
 */
export async function openGguf(path: string): Promise<GgufModel> {
  using owned = new DisposableStack();
  const source = owned.use(await openFileSource(path));
  const header = await parseGguf(source, path);
  const { config, tensors } = await ggufLlama(
    header.metadata,
    ggufTensors(source, header, path),
    path,
  );
  const folder = dirname(path);
  const beside = (await listFolder(folder)).filter((name) =>
    name === TOKENIZER || name === TOKENIZER_CONFIG
  );
  const ownTokenizer = beside.includes(TOKENIZER);
  const tokenizer = ownTokenizer
    ? await tokenizerBeside(folder, beside, config)
    : loadGgufTokenizer(header.metadata, path);
  if (tokenizer.vocabSize > config.vocabularySize) {
    throw new InputError(
      `${ownTokenizer ? join(folder, TOKENIZER) : path} has ${tokenizer.vocabSize} tokens, more ` +
        `than the ${config.vocabularySize} that the model in ${path} embeds; put the tokenizer.json ` +
        `of this model there.`,
    );
  }
  const kept = owned.move();

  return {
    config,
    tensors,
    tokenizer,
    generation: parseGenerationConfig(
      undefined,
      { eos_token_id: header.metadata.get("tokenizer.ggml.eos_token_id") },
      path,
    ),
    files: [basename(path), ...(ownTokenizer ? beside : [])],
    [Symbol.dispose]: () => kept[Symbol.dispose](),
  };
}

async function tokenizerBeside(
  folder: string,
  names: readonly string[],
  { bosTokenId }: LlamaConfig,
): Promise<Tokenizer> {
  const path = join(folder, TOKENIZER);
  const config = names.includes(TOKENIZER_CONFIG)
    ? await readText(join(folder, TOKENIZER_CONFIG))
    : undefined;
  return loadTokenizer(await readText(path), config, path, { bosId: bosTokenId });
}
