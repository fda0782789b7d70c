import assert from "node:assert/strict";
import { refuses } from "../../tests/support/refusals.ts";
import { parseOptions } from "../cli/step.ts";
import { interpretCommand, type InterpretOptions } from "./options.ts";
import { exampleOptions, stagesOf, tokenMatrixOptions, withOwnNames } from "./settings.ts";
import { checkSupported } from "./supported.ts";

/** What a command line is parsed to. */
async function parsed(...args: string[]): Promise<InterpretOptions> {
  const command = interpretCommand();
  const options = await parseOptions(command, args);
  checkSupported(options);
  return withOwnNames(options, command.processedArgs);
}

Deno.test("published spellings, names and positions are understood", async () => {
  const options = await parsed(
    ...["some/model", "some/saes", "--hookpoints", "layers.1.mlp", "--output_dir=there"],
    ...["--n_examples_train", "10", "--center_examples", "False", "--filter_bos", "True"],
    ...["--explainer_provider", "openrouter", "--dataset_column", "body", "--verbose", "false"],
    ...["--faiss_embedding_cache_enabled", "True"],
  );
  const { model, saeModel, layer, outDir, baseUrl, textColumn, verbose, filterBos } = options;
  assert.deepEqual([model, saeModel, layer], ["some/model", ["some/saes"], ["layers.1.mlp"]]);
  assert.deepEqual([outDir, textColumn, verbose, filterBos], ["there", "body", false, true]);
  assert.equal(baseUrl, "https://openrouter.ai/api/v1");
  assert.equal(options.faissEmbeddingCacheEnabled, true);
  assert.equal(exampleOptions(options, true).nExamplesTrain, 10);
  assert.equal(exampleOptions(options, true).windows, "grid");
});

Deno.test("defaults are the published ones, but for the few texts of the embedded model", async () => {
  const { seed: _, ...usual } = exampleOptions(await parsed(), false);
  assert.deepEqual(usual, {
    ...{ exampleCtxLen: 32, minExamples: 200, nExamplesTrain: 40, nExamplesTest: 50 },
    ...{ nNonActivating: 50, nQuantiles: 10, ratioTop: 0.2, windows: "centred" },
    ...{ trainType: "quantiles", testType: "quantiles", compat: undefined },
    ...{ nonActivatingSource: "random", neighboursType: "co-occurrence" },
  });
  assert.equal(exampleOptions(await parsed(), true).minExamples, 40);
  assert.equal(exampleOptions(await parsed("--min-examples", "7"), true).minExamples, 7);
});

Deno.test("--center-examples means the opposite as published", async () => {
  const windows = async (...args: string[]) => exampleOptions(await parsed(...args), false).windows;
  assert.equal(await windows(), "centred");
  assert.equal(await windows("--no-center-examples"), "grid");
  assert.equal(await windows("--compat", "paper"), "grid");
  assert.equal(await windows("--compat", "paper", "--center_examples=False"), "centred");
});

Deno.test("data sets that name no rows get those of --dataset-start and --dataset-end", async () => {
  const specs = async (...args: string[]) =>
    tokenMatrixOptions(await parsed("--dataset-configs", "udhr:{en,de}", "t:th:train:5:9", ...args))
      .datasetConfigs;
  assert.deepEqual(await specs(), ["udhr:en", "udhr:de", "t:th:train:5:9"]);
  assert.deepEqual(await specs("--dataset-start", "2"), [
    ...["udhr:en:train:2:inf", "udhr:de:train:2:inf", "t:th:train:5:9"],
  ]);
  assert.deepEqual(await specs("--compat", "paper"), [
    ...["udhr:en:train:0:1000", "udhr:de:train:0:1000", "t:th:train:5:9"],
  ]);
  await refuses(() => specs("--dataset-start", "4", "--dataset-end", "4"), /is not before/);
  const other = tokenMatrixOptions(await parsed("--dataset-repo", "texts", "--dataset-split", "a"));
  assert.deepEqual([other.dataset, other.split, other.datasetConfigs], ["texts", "a", undefined]);
});

Deno.test("stages are all, or those that are named", async () => {
  const stages = async (...args: string[]) => {
    const { asking, summary } = stagesOf(await parsed(...args));
    return [asking, summary];
  };
  assert.deepEqual(await stages(), [true, true]);
  assert.deepEqual(await stages("--populate-cache"), [false, false]);
  assert.deepEqual(await stages("--populate_cache", "True", "--scoring", "True"), [true, true]);
  assert.deepEqual(await stages("--log-results"), [false, true]);
});

Deno.test("what is not done is refused in one sentence", async () => {
  const cases: [string[], RegExp][] = [
    [["--explainer-provider", "offline"], /name that with --base-url/],
    [["--explainer-provider", "openai", "--base-url", "http://x"], /both name an endpoint/],
    [["--env", "colab"], /put it into the environment/],
    [["--hf-token", "hf_secret"], /set HF_TOKEN/],
    [["--load_in_8bit", "True"], /--memory-budget/],
    [["--num-gpus", "2"], /one GPU/],
    [["--max-memory", "0.5"], /--memory-budget/],
    [["--log_probs", "True"], /no score rests on them/],
    [["--faiss_embedding_cache_dir", "x"], /--request-cache/],
    [["--faiss_embedding_cache_enabled", "False"], /--request-cache/],
    [["--scorers", "embedding"], /^embedding compares .* --faiss-embedding-model/],
    [["--non-activating-source", "FAISS"], /--faiss-embedding-model/],
    [
      ["--dry-run", "--non-activating-source", "FAISS", "--faiss-embedding-model", "m"],
      /plan with random/,
    ],
    [["--dataset-repo", "a", "--dataset-configs", "udhr:en"], /leave one out/],
    [["--dataset-name", "a"], /are of --dataset-repo/],
    [["--dataset-repo", "a", "--dataset-end", "5"], /--n-tokens/],
    [["--dataset-repo", "a", "--dataset-split", "train[:1%]"], /bound it with --n-tokens/],
    [["--dataset-column", "a", "--text-column", "b"], /are the same/],
    [["--example-ctx-len", "24"], /does not divide --cache-ctx-len 256/],
    [["--controls", "none", "random"], /stands alone/],
    [["--explain-in", "own", "--compat", "paper"], /as published/],
    [["--name", "../x"], /no name of a folder/],
    [["--name", ""], /no name of a folder/],
  ];
  for (const [args, message] of cases) {
    await refuses(() => parsed(...args), message);
  }
  await parsed("--env", "local", "--num-gpus", "1", "--controls", "none");
});
