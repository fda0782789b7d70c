/** What the options come to, with the defaults that depend on others. */
import { join, resolve } from "node:path";
import { describeSpec, parseDatasetConfigs } from "../data/dataset_configs.ts";
import { InputError } from "../formats/input_error.ts";
import { ALL_LANGUAGES } from "../session/options.ts";
import type { ExampleOptions } from "../interpret/examples/example_source.ts";
import type { TokenMatrixOptions } from "../interpret/latent_cache/token_matrix.ts";
import type { ControlName } from "../interpret/metrics/controls.ts";
import type { InterpretOptions } from "./options.ts";

/** Endpoints that have a name of their own. */
const PROVIDERS = {
  openrouter: "https://openrouter.ai/api/v1",
  openai: "https://api.openai.com/v1",
} as const;

/** Rows of a data set that the published program reads by default. */
const PUBLISHED_ROWS = 1000;

/** Numbers of examples; the published ones suit millions of tokens. */
const PUBLISHED_EXAMPLES = { min: 200, train: 40, test: 50, nonActivating: 50 };
/** In the Declaration, a language has about 130 windows. */
const EMBEDDED_EXAMPLES = { min: 40, train: 20, test: 20, nonActivating: 20 };

/** Parts of the work that come after activations are read. */
export interface Stages {
  readonly asking: boolean;
  readonly summary: boolean;
}

/** The parts that `--populate-cache`, `--scoring` and `--log-results` name; all, where none is named. */
export function stagesOf({ populateCache, scoring, logResults }: InterpretOptions): Stages {
  const all = !populateCache && !scoring && !logResults;
  return {
    asking: all || scoring === true,
    summary: all || scoring === true || logResults === true,
  };
}

/**
 * The options with what the published spellings say put into the places of ours.
 *
 * @param named `[model]` and `[sparse-model]`, where they are given
 */
export function withOwnNames(
  options: InterpretOptions,
  [namedModel, namedSaes]: readonly (string | undefined)[],
): InterpretOptions {
  const { model, saeModel, sparseModel, layer, hookpoints, outDir, outputDir } = options;
  const { explainerProvider, baseUrl, textColumn, datasetColumn } = options;
  const named = explainerProvider === undefined || explainerProvider === "offline"
    ? undefined
    : PROVIDERS[explainerProvider];
  const saes = namedSaes ?? sparseModel;
  return {
    ...options,
    model: namedModel ?? model,
    saeModel: saes === undefined ? saeModel : [saes],
    layer: hookpoints ?? layer,
    outDir: outputDir ?? outDir,
    baseUrl: baseUrl ?? named,
    textColumn: textColumn ?? datasetColumn,
  };
}

/** Folder of the results. */
export function resultFolder({ outDir, name }: InterpretOptions): string {
  return resolve(join(outDir, name));
}

/** Controls that are wanted. */
export function controlsOf({ controls }: InterpretOptions): ControlName[] {
  return controls.filter((name) => name !== "none");
}

/** Which texts become which rows. */
export function tokenMatrixOptions(options: InterpretOptions): TokenMatrixOptions {
  const { compat, textColumn, promptTemplate, normalForm } = options;
  return {
    dataset: options.datasetRepo,
    subset: options.datasetName,
    split: options.datasetSplit ?? "train",
    datasetConfigs: options.datasetRepo === undefined ? datasetConfigs(options) : undefined,
    ...{ textColumn, promptTemplate, normalForm, compat },
    contextLength: options.cacheCtxLen,
    processes: options.pipelineNumProc,
    nTokens: options.nTokens,
    batchSize: options.batchSize,
    filterBos: options.filterBos ?? false,
  };
}

/** Data sets with the rows that `--dataset-start` and `--dataset-end` give to those without. */
function datasetConfigs(options: InterpretOptions): string[] {
  const { datasetConfigs = [ALL_LANGUAGES], datasetStart = 0, datasetEnd, compat } = options;
  const end = datasetEnd ?? (compat === "paper" ? PUBLISHED_ROWS : Infinity);
  if (datasetStart >= end) {
    throw new InputError(
      `--dataset-start ${datasetStart} is not before --dataset-end ${end}; rows are counted from 0.`,
    );
  }
  return parseDatasetConfigs(datasetConfigs, { compat })
    .map((spec) =>
      spec.start === 0 && spec.end === Infinity ? { ...spec, start: datasetStart, end } : spec
    )
    .map(describeSpec);
}

/**
 * How examples are made.
 *
 * @param embedded whether the model is the embedded one, of which there are few texts
 */
export function exampleOptions(options: InterpretOptions, embedded: boolean): ExampleOptions {
  const usual = embedded ? EMBEDDED_EXAMPLES : PUBLISHED_EXAMPLES;
  const { compat, centerExamples } = options;
  return {
    exampleCtxLen: options.exampleCtxLen,
    minExamples: options.minExamples ?? usual.min,
    nNonActivating: options.nNonActivating ?? usual.nonActivating,
    windows: centerExamples === (compat === "paper") ? "grid" : "centred",
    nonActivatingSource: options.nonActivatingSource,
    neighboursType: options.neighboursType,
    nExamplesTrain: options.nExamplesTrain ?? usual.train,
    trainType: options.trainType,
    nExamplesTest: options.nExamplesTest ?? usual.test,
    testType: options.testType,
    nQuantiles: options.nQuantiles,
    ratioTop: options.ratioTop,
    seed: options.seed,
    compat,
  };
}
