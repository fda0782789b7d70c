/** What a planned step will need: its inputs, their tokens and bytes, and the memory it takes. */
import { join } from "node:path";
import { loadCorpus } from "../data/corpora.ts";
import type { CorpusOptions } from "../data/corpus_files.ts";
import { parseDatasetConfigs } from "../data/dataset_configs.ts";
import { type FileBytes, openFileTree } from "../data/file_tree.ts";
import { readJson } from "../data/files.ts";
import { InputError } from "../formats/input_error.ts";
import { type LlamaConfig, parseLlamaConfig } from "../nn/config.ts";
import { resolveHookpoints } from "../nn/hookpoints.ts";
import type { Access } from "../subject/access.ts";
import { checkpointFiles, EMBEDDED_MODEL, openTokenizer } from "../subject/open_model.ts";
import { chooseSaes, EMBEDDED_SAES } from "../subject/open_saes.ts";
import { type CountMemory, countMemory } from "./memory.ts";
import type { PlannedOptions, PlannedStep } from "./plan.ts";

/** What is known of a step before it runs; what cannot be found out is undefined. */
export interface StepFacts {
  /** Model, SAEs, texts and results of other steps that it reads. */
  readonly inputs: readonly string[];
  /** Of its texts, special tokens included: of one command, where there are several. */
  readonly tokens?: number;
  /** True when `tokens` is what was published, since the texts could not be had. */
  readonly tokensPublished: boolean;
  /** Files of the model and the SAEs. */
  readonly bytes?: FileBytes;
  readonly memory?: CountMemory;
  /** Why something could not be found out, a sentence each. */
  readonly unknown: readonly string[];
}

/** Options of `count` that decide its memory, when a plan leaves them out. */
const COUNTING = { tokens: 8192, examples: 1024, documentGroups: 32 };

/** Finds facts about steps; what several steps share is looked up once. */
export class FactFinder {
  readonly #access: Access;
  readonly #reading: CorpusOptions;
  readonly #known = new Map<string, Promise<unknown>>();

  constructor(access: Access, reading: CorpusOptions) {
    this.#access = access;
    this.#reading = reading;
  }

  /** Facts of the first command of a step; never fails. */
  async of({ run, commands: [options], tokens: published }: PlannedStep): Promise<StepFacts> {
    const unknown: string[] = [];
    const found = async <T>(look: Promise<T> | undefined): Promise<T | undefined> => {
      try {
        return await look;
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        if (!unknown.includes(error.message)) unknown.push(error.message);
      }
    };
    const texts = options.get("dataset-configs");
    const [model] = options.get("model") ?? (texts ? [EMBEDDED_MODEL] : []);
    const sources = saeSources(run, options, model);
    const files = model
      ? await found(this.#once(`model ${model}`, () => this.#model(model)))
      : undefined;
    const saes = files && sources
      ? await found(this.#saes(sources, options.get("layer") ?? [], files.config))
      : undefined;
    const tokens = files && texts ? await found(this.#tokens(texts, model, files)) : undefined;
    const isWhole = files && (saes || !sources);
    return {
      inputs: inputsOf(options),
      tokens: tokens ?? published,
      tokensPublished: tokens === undefined && published !== undefined,
      bytes: isWhole ? sum([files.bytes, ...(saes ? [saes.bytes] : [])]) : undefined,
      memory: isWhole ? memoryOf(options, files, saes) : undefined,
      unknown,
    };
  }

  #once<T>(key: string, look: () => Promise<T>): Promise<T> {
    const known = this.#known.get(key) as Promise<T> | undefined;
    if (known) return known;
    const looking = look();
    this.#known.set(key, looking);
    return looking;
  }

  async #model(name: string): Promise<ModelFiles> {
    const tree = await openFileTree(name, "model", this.#access.hub);
    const files = checkpointFiles(tree);
    if (!files) throw new InputError(`${name} has no config.json.`);
    const { settings, weights } = files;
    const folder = await tree.local(settings);
    const path = join(folder, "config.json");
    return {
      folder,
      settings,
      config: parseLlamaConfig(await readJson(path), path),
      bytes: await tree.bytes([...settings, ...weights]),
    };
  }

  #saes(
    sources: readonly string[],
    patterns: readonly string[],
    config: LlamaConfig,
  ): Promise<SaeFiles> {
    return this.#once(JSON.stringify(["saes", sources, patterns]), async () => {
      const chosen = await chooseSaes(sources, patterns, config.layers, this.#access);
      const bytes = sum(
        await Promise.all(
          chosen.map(({ tree, found }) => tree.bytes(found.files)),
        ),
      );
      const [{ tree, found: { configFile } }] = chosen;
      const latents = configFile
        ? latentsIn(await readJson(join(await tree.local([configFile]), configFile)))
        : undefined;
      return { count: chosen.length, latents, bytes };
    });
  }

  #tokens(values: readonly string[], model: string, files: ModelFiles): Promise<number> {
    return this.#once(JSON.stringify(["tokens", values, model]), async () => {
      const tokenizer = await openTokenizer(files.folder, files.settings, files.config);
      let tokens = 0;
      for (const spec of parseDatasetConfigs(values, this.#reading)) {
        const { texts } = await loadCorpus(spec, this.#reading);
        for (const text of texts) tokens += tokenizer.encode(text).length;
      }
      return tokens;
    });
  }
}

interface ModelFiles {
  readonly folder: string;
  /** Names of the small files in it. */
  readonly settings: readonly string[];
  readonly config: LlamaConfig;
  readonly bytes: FileBytes;
}

interface SaeFiles {
  readonly count: number;
  readonly latents: number | undefined;
  readonly bytes: FileBytes;
}

/** The SAEs of a step: those it names, or the embedded model's where it is not about neurons. */
function saeSources(
  run: string,
  options: PlannedOptions,
  model: string | undefined,
): readonly string[] | undefined {
  const named = options.get("sae-model");
  if (named || model !== EMBEDDED_MODEL) return named;
  const neurons = run === "count-neurons" || options.get("algorithm")?.[0] === "lape" ||
    options.get("intervention-type")?.[0] === "neuron";
  return neurons ? undefined : [EMBEDDED_SAES];
}

function inputsOf(options: PlannedOptions): string[] {
  const named = ["model", "sae-model", "in-path", "lape-result-path", "dataset-configs"];
  return named.flatMap((name) => options.get(name) ?? []);
}

function sum(parts: readonly FileBytes[]): FileBytes {
  return {
    total: parts.reduce((sum, { total }) => sum + total, 0),
    missing: parts.reduce((sum, { missing }) => sum + missing, 0),
  };
}

function memoryOf(
  options: PlannedOptions,
  { config, bytes }: ModelFiles,
  saes: SaeFiles | undefined,
): CountMemory | undefined {
  const patterns = options.get("layer") ?? ["layers.*.mlp.act_fn"];
  if (saes && !saes.latents) return undefined;
  const latents = saes?.latents ?? 0;
  return countMemory({
    config,
    hookpoints: saes?.count ?? resolveHookpoints(patterns, config.layers).length,
    latents,
    modelWidth: widthOf(bytes.total / parameters(config)),
    // Files hold encoder and decoder.
    saeWidth: saes ? widthOf(saes.bytes.total / (2 * saes.count * latents * config.hiddenSize)) : 0,
    tokens: Number(options.get("block-tokens")?.[0] ?? COUNTING.tokens),
    examples: Number(options.get("batch-size")?.[0] ?? COUNTING.examples),
    documentGroups: Number(options.get("document-groups")?.[0] ?? COUNTING.documentGroups),
  });
}

function parameters(config: LlamaConfig): number {
  const { hiddenSize, mlpSize, heads, keyValueHeads, headDim, layers, vocabularySize } = config;
  const block = hiddenSize * (2 * headDim * (heads + keyValueHeads) + 3 * mlpSize);
  return layers * block + (config.tiedEmbeddings ? 1 : 2) * vocabularySize * hiddenSize;
}

/** Weights are stored in 2 or 4 bytes. */
function widthOf(bytesPerWeight: number): number {
  return bytesPerWeight > 3 ? 4 : 2;
}

/** Latents that the config of an SAE names, in the words of its family. */
function latentsIn(config: unknown): number | undefined {
  if (typeof config !== "object" || config === null) return undefined;
  const field = (name: string): number | undefined => {
    const value = Object.getOwnPropertyDescriptor(config, name)?.value;
    return typeof value === "number" && value > 0 ? value : undefined;
  };
  const input = field("d_in") ?? field("d_model");
  const expansion = field("expansion_factor");
  return field("num_latents") ?? field("d_sae") ??
    (input && expansion ? input * expansion : undefined);
}
