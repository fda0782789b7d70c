/**
 * A model and its SAEs on the GPU of whoever looks at a site: the same kernels and the same passes as on
 * the command line, over files that were fetched.
 */
import type { Steered, Tried } from "../explore/backend.ts";
import { MOST_FEATURES, MOST_NEW_TOKENS } from "../explore/limits.ts";
import {
  type LatentSteering,
  steerTokens,
  tryTokens,
  type VisitedModel,
  visitorTokens,
} from "../explore/live/visitor_runs.ts";
import { memorySource } from "../formats/byte_source.ts";
import { InputError } from "../formats/input_error.ts";
import { openSafetensors } from "../formats/safetensors.ts";
import type { TensorSource } from "../formats/tensor_source.ts";
import { loadTokenizer, type Tokenizer } from "../formats/tokenizer.ts";
import { featureClassifier } from "../classify/feature_classifier.ts";
import { Gpu, type GpuOptions } from "../gpu/device.ts";
import { selfTest } from "../gpu/self_test.ts";
import { WeightStore } from "../gpu/weight_store.ts";
import type { LapeResult } from "../lape/lape_json.ts";
import { type LlamaConfig, parseLlamaConfig } from "../nn/config.ts";
import { type GenerationDefaults, parseGenerationConfig } from "../nn/generation_config.ts";
import { allHookpoints } from "../nn/hookpoints.ts";
import { Llama } from "../nn/llama.ts";
import { openSae } from "../sae/families.ts";
import type { Target } from "../sae/target.ts";
import type { EngineFiles, ReadFile, SiteSae } from "./engine_files.ts";

/** A model that answers for one visitor, one question at a time. */
export class Engine implements VisitedModel, Disposable {
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
   * @throws InputError for a text that is too long, and for features that do not fit the model
   */
  async tryText(text: string): Promise<Tried> {
    const ids = visitorTokens(this, text);
    const { features, targets, config } = this;
    const classifier = featureClassifier(features, targets, config.mlpSize, "the site");
    return await tryTokens(this, this, classifier, ids);
  }

  /**
   * Writes a text as it is and with latents changed, both from the same random numbers.
   *
   * @param progress told how many tokens are written so far; throws to stop
   * @throws InputError for texts that are too long, latents that are not there, and settings that are
   *   out of bounds
   */
  async steer(request: LatentSteering, progress: (tokens: number) => void): Promise<Steered> {
    const ids = visitorTokens(this, request.prompt);
    checkSteering(request);
    return await steerTokens(this, this, ids, request, progress);
  }

  get config(): LlamaConfig {
    return this.llama.config;
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** What an address may say, where no server checks it. */
function checkSteering({ latents, maxNewTokens, temperature, seed }: LatentSteering): void {
  const bounds = [
    [
      maxNewTokens >= 1 && maxNewTokens <= MOST_NEW_TOKENS && Number.isInteger(maxNewTokens),
      "tokens",
    ],
    [temperature >= 0 && Number.isFinite(temperature), "temperature"],
    [seed >= 0 && Number.isSafeInteger(seed), "seed"],
    [latents.length <= MOST_FEATURES, "number of features"],
  ] as const;
  const [, wrong] = bounds.find(([within]) => !within) ?? [];
  if (wrong === undefined) return;
  throw new InputError(
    `The ${wrong} cannot be used: expected 1 to ${MOST_NEW_TOKENS} tokens, a temperature and a whole ` +
      `seed of at least 0, and at most ${MOST_FEATURES} features.`,
  );
}

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
