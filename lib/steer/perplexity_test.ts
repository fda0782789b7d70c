/** Perplexities against f64 log-softmax of transformers' logits, and their independence of batches. */
import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { openTestLlama, type TestLlama } from "../../tests/support/models.ts";
import { Fixture } from "../../tests/support/tensors.ts";
import { randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { InputError } from "../formats/input_error.ts";
import { encodeSafetensors, fromBytes } from "../formats/safetensors.ts";
import { SHARD_ROWS } from "../gpu/matrix.ts";
import { readRows } from "../gpu/rows.ts";
import { WeightStore } from "../gpu/weight_store.ts";
import { pack } from "../nn/batch.ts";
import { parseLlamaConfig } from "../nn/config.ts";
import { resolveHookpoints } from "../nn/hookpoints.ts";
import { type Hook, Llama } from "../nn/llama.ts";
import {
  corpusPerplexity,
  meanPerplexity,
  medianPerplexity,
  perplexity,
  scoreTexts,
  type TextScore,
} from "./perplexity.ts";

const LIMITS = { tokens: 128, examples: 8 };

function textOf(length: number, seed: number): { ids: Uint32Array } {
  return { ids: Uint32Array.from({ length }, (_, at) => (at * 7 + seed * 31) % 260) };
}

async function score(
  { llama }: Pick<TestLlama, "llama">,
  texts: readonly { ids: Uint32Array }[],
  limits = LIMITS,
  hooks: readonly Hook[] = [],
): Promise<TextScore[]> {
  return (await Array.fromAsync(scoreTexts(llama, texts, limits, hooks))).flat();
}

/** Negative log-likelihood of a target per row of logits [targets, width], in f64. */
function fromLogits(logits: Float32Array, targets: readonly number[]): number {
  const width = logits.length / targets.length;
  return targets.reduce((sum, target, row) => {
    const values = logits.subarray(row * width, (row + 1) * width);
    const total = values.reduce((exps, value) => exps + Math.exp(value), 0);
    return sum - values[target] + Math.log(total);
  }, 0);
}

for (const family of FAMILIES) {
  for (const name of ["tiny_llama32", "tiny_llama_f16"]) {
    Deno.test(`perplexity: ${name}, ${family}: of the model's own logits`, async () => {
      using gpu = await openTestGpu({ family });
      using model = await openTestLlama(gpu, `tests/fixtures/${name}`);
      const texts = [textOf(37, 1), textOf(2, 2), textOf(101, 3)];
      const scores = await score(model, texts);
      assert.deepEqual(scores.map(({ tokens }) => tokens), [36, 1, 100]);
      for (const [i, { ids }] of texts.entries()) {
        const residual = await model.llama.forward(pack([ids]), [], true);
        const rows = Array.from({ length: ids.length - 1 }, (_, row) => row);
        using logits = await model.llama.logits(residual, rows);
        const expected = fromLogits(await readRows(gpu, logits), [...ids.subarray(1)]);
        const difference = Math.abs(scores[i].negativeLogLikelihood / expected - 1);
        assert.ok(difference < 1e-6, `text ${i}: ${difference}`);
      }
    });
  }
}

Deno.test("perplexity: of transformers' logits", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "tests/fixtures/tiny_llama32");
  using expected = await Fixture.open("tests/fixtures/tiny_llama32/expected.safetensors");
  const ids = await expected.integers("text37.input_ids");
  const positions = await expected.integers("text37.positions");
  const logits = await expected.floats("text37.logits");
  const width = model.llama.config.vocabularySize;
  const residual = await model.llama.forward(pack([Uint32Array.from(ids)]), [], true);
  const targets = Uint32Array.from(ids, (_, at) => (at * 11) % width);
  const found = await model.llama.logProbabilities(residual, targets);
  positions.forEach((position, i) => {
    const reference = -fromLogits(logits.subarray(i * width, (i + 1) * width), [targets[position]]);
    assert.ok(Math.abs(found[position] - reference) < 1e-4, `position ${position}`);
  });
});

Deno.test("perplexity: a text's score does not depend on its batch, to the bit", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "tests/fixtures/tiny_llama32");
  const texts = Array.from({ length: 9 }, (_, i) => textOf(2 + i * 13, i));
  const together = await score(model, texts, { tokens: 600, examples: 9 });
  assert.equal(together.length, 9);
  assert.deepEqual(await score(model, texts), together);
  assert.deepEqual(await score(model, [texts[4]]), [together[4]]);
});

Deno.test("perplexity: more tokens than logits are held for at a time, to the bit", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  // 8,192 logits in 64 MiB: 2,048 tokens at a time
  const texts = Array.from({ length: 11 }, (_, i) => textOf(200, i));
  const together = await score(model, texts, { tokens: 2200, examples: 11 });
  const apart = await score(model, texts.slice(-2), { tokens: 200, examples: 1 });
  assert.deepEqual(together.slice(-2), apart);
});

Deno.test("perplexity: a vocabulary of several shards", async () => {
  using gpu = await openTestGpu({ family: "texture" });
  const random = seededRandom(9);
  const tensor = (...shape: number[]) => {
    const size = shape.reduce((product, n) => product * n, 1);
    return { dtype: "F32" as const, shape, data: randomValues(random, size) };
  };
  const vocabulary = 2 * SHARD_ROWS + 37;
  const tensors = fromBytes(
    encodeSafetensors({
      "model.embed_tokens.weight": tensor(vocabulary, 8),
      "model.norm.weight": tensor(8),
    }),
    "model",
  );
  const config = parseLlamaConfig({
    model_type: "llama",
    hidden_size: 8,
    intermediate_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 1,
    vocab_size: vocabulary,
    tie_word_embeddings: true,
  }, "config.json");
  using store = new WeightStore(gpu);
  // no block at all: logits of the embeddings themselves
  using llama = new Llama(gpu, { ...config, layers: 0 }, tensors, "model", store);
  const ids = Uint32Array.of(1, SHARD_ROWS - 1, SHARD_ROWS, vocabulary - 1, 5);
  const [{ negativeLogLikelihood }] = await score({ llama }, [{ ids }]);
  const residual = await llama.forward(pack([ids]), [], true);
  using logits = await llama.logits(residual, [0, 1, 2, 3]);
  const expected = fromLogits(await readRows(gpu, logits), [...ids.subarray(1)]);
  assert.ok(Math.abs(negativeLogLikelihood / expected - 1) < 1e-6);
});

Deno.test("perplexity: hooks change what is scored", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "tests/fixtures/tiny_llama32");
  const [hookpoint] = resolveHookpoints(["layers.1"], model.llama.config.layers);
  // without the residual stream only the blocks after it speak
  const hook: Hook = { hookpoint, run: (recorder, { buffer }) => recorder.clear(buffer) };
  const [plain] = await score(model, [textOf(20, 1)]);
  const [changed] = await score(model, [textOf(20, 1)], LIMITS, [hook]);
  assert.ok(Math.abs(changed.negativeLogLikelihood - plain.negativeLogLikelihood) > 1);
});

Deno.test("perplexity: mean and median over texts, and over tokens", () => {
  const scores = [
    { tokens: 1, negativeLogLikelihood: Math.log(8) },
    { tokens: 3, negativeLogLikelihood: 3 * Math.log(2) },
  ];
  const close = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-12, `${a}, not ${b}`);
  close(perplexity(scores[0]), 8);
  close(meanPerplexity(scores), 5);
  close(medianPerplexity([...scores, { tokens: 2, negativeLogLikelihood: 0 }]), 2);
  close(corpusPerplexity(scores), 2 ** (6 / 4));
});

Deno.test("perplexity: a text without anything to predict is refused", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "tests/fixtures/tiny_llama32");
  await assert.rejects(score(model, [textOf(5, 1), textOf(1, 1)]), (error: Error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /^text 1 has 1 tokens.+leave it out\.$/);
    return true;
  });
});
