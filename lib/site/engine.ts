/**
 * A model and its SAEs on the GPU of whoever looks at a site: the same kernels and the same passes as on
 * the command line, over files that were fetched.
 */
import type { Steered, Tried } from "../explore/backend.ts";
import { memorySource } from "../formats/byte_source.ts";
import { InputError } from "../formats/input_error.ts";
import { openSafetensors } from "../formats/safetensors.ts";
import type { TensorSource } from "../formats/tensor_source.ts";
import { loadTokenizer, type Tokenizer } from "../formats/tokenizer.ts";
import { featureClassifier, wantedUnits } from "../classify/feature_classifier.ts";
import { Gpu, type GpuOptions } from "../gpu/device.ts";
import { selfTest } from "../gpu/self_test.ts";
import { WeightStore } from "../gpu/weight_store.ts";
import { readActivations } from "../interpret/activations.ts";
import type { LapeResult } from "../lape/lape_json.ts";
import { parseLlamaConfig } from "../nn/config.ts";
import { generate, type Generation } from "../nn/generation.ts";
import { type GenerationDefaults, parseGenerationConfig } from "../nn/generation_config.ts";
import { allHookpoints } from "../nn/hookpoints.ts";
import { Llama } from "../nn/llama.ts";
import { openSae } from "../sae/families.ts";
import type { Target } from "../sae/target.ts";
import { answer } from "../steer/answers.ts";
import { EditHooks } from "../steer/edit_hooks.ts";
import { type SteeredLatent, steeringEdits } from "./steering.ts";
import type { EngineFiles, ReadFile, SiteSae } from "./engine_files.ts";
import { triedOf } from "./tried.ts";

/** Most tokens of a text that is tried, or of a prompt. */
export const MOST_TOKENS = 1024;

/** Most tokens that are written. */
export const MOST_NEW_TOKENS = 200;

/** A text to be written with latents changed, their strengths as activations. */
export interface EngineSteering {
  readonly prompt: string;
  readonly latents: readonly SteeredLatent[];
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly seed: number;
}

/** A model that answers for one visitor, one question at a time. */
export class Engine implements Disposable {
  readonly #owned: DisposableStack;

  private constructor(
    readonly gpu: Gpu,
    readonly store: WeightStore,
    readonly llama: Llama,
    readonly tokenizer: Tokenizer,
    readonly generation: GenerationDefaults,
    readonly targets: readonly Target[],
    readonly features: LapeResult,
    owned: DisposableStack,
  ) {
    this.#owned = owned;
  }

  /**
   * Fetches and opens the model.
   *
   * @throws InputError for files that are not what they should be; GpuError for an adapter that
   *   computes wrong results
   */
  static async open(
    adapter: GPUAdapter,
    files: EngineFiles,
    read: ReadFile,
    options: GpuOptions = {},
  ): Promise<Engine> {
    const { model } = files;
    const configJson = await readJson(read, model.config);
    const config = parseLlamaConfig(configJson, model.config);
    const tokenizer = loadTokenizer(
      await readText(read, model.tokenizer),
      model.tokenizerConfig && await readText(read, model.tokenizerConfig),
      model.tokenizer,
      { bosId: config.bosTokenId },
    );
    const generation = parseGenerationConfig(
      model.generationConfig && await readJson(read, model.generationConfig),
      configJson,
      model.generationConfig ?? model.config,
    );
    const [weights, ...targets] = await Promise.all([
      readTensors(read, model.weights),
      ...files.saes.map((sae) => openTarget(read, sae, config.layers, model.name)),
    ]);
    using undo = new DisposableStack();
    const gpu = undo.use(await Gpu.open(adapter, options));
    await selfTest(gpu, "browser");
    const store = undo.use(new WeightStore(gpu));
    const llama = undo.use(new Llama(gpu, config, weights, model.name, store));
    return new Engine(
      ...[gpu, store, llama, tokenizer, generation, targets, files.features, undo.move()] as const,
    );
  }

  /**
   * The language-specific features that fire on a text; of BOS nothing is told.
   *
   * @throws InputError for a text that is too long
   */
  async tryText(text: string): Promise<Tried> {
    const ids = this.#encoded(text);
    const { features, targets, llama, tokenizer } = this;
    const classifier = featureClassifier(features, targets, llama.config.mlpSize, "the site");
    const reader = { ...this, limits: { tokens: MOST_TOKENS, examples: 1 } };
    const wanted = wantedUnits(classifier);
    for await (const found of readActivations(reader, classifier.targets, [{ ids }], { wanted })) {
      const skipped = Number(ids[0] === tokenizer.bosId);
      return triedOf(tokenizer.decodePieces(ids), skipped, classifier, found.targets);
    }
    throw new Error("a text without activations");
  }

  /**
   * Writes a text as it is and with latents changed, both from the same random numbers.
   *
   * @param progress told how many tokens the longer of both has so far; throws to stop
   * @throws InputError for texts that are too long and latents that are not there
   */
  async steer(request: EngineSteering, progress: (tokens: number) => void): Promise<Steered> {
    const prompt = this.#encoded(request.prompt);
    if (request.maxNewTokens > MOST_NEW_TOKENS) {
      throw new InputError(`The model writes at most ${MOST_NEW_TOKENS} tokens here.`);
    }
    const { gpu, llama, tokenizer } = this;
    const { sampling, endIds } = this.generation;
    using hooks = new EditHooks(gpu, [await steeringEdits(this.targets, request.latents)]);
    let written = 0;
    const generation: Generation = {
      maxNewTokens: request.maxNewTokens,
      endIds,
      sampling: { ...sampling, temperature: request.temperature },
      chunk: CHUNK,
      progress: (tokens) => progress(Math.ceil((written += tokens) / 2)),
    };
    const { seed } = request;
    const limits = { tokens: 2 * MOST_TOKENS, examples: 2 };
    const texts = [{ prompt, seed }, { prompt, seed, set: 0 }];
    const [plain, steered] = (await generate(gpu, llama, texts, limits, generation, hooks))
      .map((ids) => answer(tokenizer, prompt, ids, endIds));
    return { plain, steered };
  }

  #encoded(text: string): Uint32Array<ArrayBuffer> {
    const { tokenizer, llama: { config } } = this;
    const ids = tokenizer.encode(text.toWellFormed());
    if (ids.some((id) => id >= config.vocabularySize)) {
      throw new InputError("The text has a token that the model does not know; leave it out.");
    }
    if (ids.length > 0 && ids.length <= MOST_TOKENS) return ids;
    throw new InputError(
      `The text has ${ids.length} tokens, but the model takes 1 to ${MOST_TOKENS} here: ` +
        `${ids.length === 0 ? "write something" : "shorten it"}.`,
    );
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** Tokens per readback: a visitor who is gone is noticed after each. */
const CHUNK = 4;

async function readText(read: ReadFile, path: string): Promise<string> {
  return new TextDecoder().decode(await read(path));
}

async function readJson(read: ReadFile, path: string): Promise<unknown> {
  return JSON.parse(await readText(read, path));
}

async function readTensors(read: ReadFile, path: string): Promise<TensorSource> {
  return await openSafetensors(memorySource(await read(path)), path);
}

async function openTarget(
  read: ReadFile,
  { family, config, tensors, hookpoint: name }: SiteSae,
  layers: number,
  model: string,
): Promise<Target> {
  const hookpoint = allHookpoints(layers).find((one) => one.name === name);
  if (!hookpoint) throw new InputError(`${model} has no hookpoint ${name}.`);
  const configJson = config && await readJson(read, config);
  return {
    hookpoint,
    sae: await openSae(family, configJson, await readTensors(read, tensors), name),
  };
}
