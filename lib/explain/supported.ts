/** Options that are refused, each in one sentence. */
import { InputError } from "../formats/input_error.ts";
import type { InterpretOptions } from "./options.ts";

/** Scorers that compare vectors of texts. */
const BY_MEANING = ["embedding", "example_embedding"] as const;

/** @throws InputError for what is not done, and for options that do not fit each other */
export function checkSupported(options: InterpretOptions): void {
  const refusal = refusals(options).find(([refused]) => refused);
  if (refusal) throw new InputError(refusal[1]);
}

function refusals(options: InterpretOptions): [boolean, string][] {
  const byMeaning = BY_MEANING.find((name) => options.scorers.includes(name)) ??
    (options.nonActivatingSource === "FAISS" ? "--non-activating-source FAISS" : undefined);
  return [
    [
      options.explainerProvider === "offline",
      "--explainer-provider offline ran a model within the program, which is not done; start it as a " +
      "server (llama.cpp, vLLM, Ollama) and name that with --base-url.",
    ],
    [
      options.explainerProvider !== undefined && options.baseUrl !== undefined,
      `--explainer-provider ${options.explainerProvider} and --base-url both name an endpoint; leave ` +
      "one out.",
    ],
    [
      options.env !== undefined && options.env !== "local",
      `--env ${options.env} took the key from that service's secrets; put it into the environment, as ` +
      "OPENROUTER_API_KEY, OPENAI_API_KEY or BABELSCOPE_API_KEY.",
    ],
    [
      options.hfToken !== undefined,
      "--hf-token would show the token to all who list processes; set HF_TOKEN in the environment.",
    ],
    [
      options.loadIn8bit === true,
      "--load-in-8bit is not done: the model is computed in float32; bound memory with " +
      "--memory-budget.",
    ],
    [
      (options.numGpus ?? 1) > 1,
      `--num-gpus ${options.numGpus} is not done: one GPU reads the activations; leave it out.`,
    ],
    [
      options.maxMemory !== undefined,
      "--max-memory was of a model within the program; bound memory of the GPU with --memory-budget, " +
      "such as 2GiB.",
    ],
    [
      options.logProbs === true,
      "--log-probs is not done: endpoints may leave probabilities out, so no score rests on them; " +
      "leave it out.",
    ],
    [
      options.faissEmbeddingCacheDir !== undefined || !options.faissEmbeddingCacheEnabled,
      "Vectors of texts are kept with all other answers of endpoints; name their folder with " +
      "--request-cache in the place of --faiss-embedding-cache-dir.",
    ],
    [
      byMeaning !== undefined && options.faissEmbeddingModel === undefined,
      `${byMeaning} compares vectors of texts; name the endpoint's model that makes them with ` +
      "--faiss-embedding-model.",
    ],
    [
      options.dryRun === true && options.nonActivatingSource === "FAISS",
      "--dry-run asks nobody, but --non-activating-source FAISS asks for vectors to choose examples; plan " +
      "with random.",
    ],
    [
      options.datasetRepo !== undefined && options.datasetConfigs !== undefined,
      "Both --dataset-repo and --dataset-configs name texts; leave one out.",
    ],
    [
      options.datasetRepo === undefined &&
      (options.datasetName !== undefined || options.datasetSplit !== undefined),
      "--dataset-name and --dataset-split are of --dataset-repo; with --dataset-configs write " +
      "name:lang:split.",
    ],
    [
      options.datasetSplit?.includes("[") === true,
      `--dataset-split ${options.datasetSplit} is a slice of a split, which is not done; name the split ` +
      "alone and bound it with --n-tokens.",
    ],
    [
      options.datasetRepo !== undefined &&
      (options.datasetStart !== undefined || options.datasetEnd !== undefined),
      "--dataset-start and --dataset-end are of --dataset-configs; bound --dataset-repo with " +
      "--n-tokens.",
    ],
    [
      options.datasetColumn !== undefined && options.textColumn !== undefined,
      "--dataset-column and --text-column are the same; leave one out.",
    ],
    [
      options.cacheCtxLen % options.exampleCtxLen !== 0,
      `--example-ctx-len ${options.exampleCtxLen} does not divide --cache-ctx-len ` +
      `${options.cacheCtxLen}; choose one that does, such as 32 for 256.`,
    ],
    [
      options.controls.length > 1 && options.controls.includes("none"),
      "--controls none stands alone; leave it out to have the others.",
    ],
    [
      options.compat === "paper" && options.explainIn === "own",
      "--compat paper explains in English, as published; leave out --explain-in own.",
    ],
    [
      !isName(options.name),
      `--name ${
        JSON.stringify(options.name)
      } is no name of a folder in --out-dir; choose one without ` +
      "separators.",
    ],
  ];
}

function isName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\\\0]/.test(name);
}
