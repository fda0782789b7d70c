/** Writing with a cache against whole passes, transformers' generate, and itself under other batches. */
import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { openTestLlama } from "../../tests/support/models.ts";
import { projectPath } from "../../tests/support/tensors.ts";
import { InputError } from "../formats/input_error.ts";
import type { Gpu } from "../gpu/device.ts";
import { readRows } from "../gpu/rows.ts";
import type { Sampling } from "../gpu/sampler.ts";
import { pack } from "./batch.ts";
import { type Continuation, generate, type Generation } from "./generation.ts";
import { KvCache, mostSequences } from "./kv_cache.ts";
import type { Llama } from "./llama.ts";

const GREEDY: Sampling = { temperature: 0, topK: 50, topP: 1 };
const LOOSE: Sampling = { temperature: 1.2, topK: 60, topP: 0.97 };
const LIMITS = { tokens: 512, examples: 64 };
const TINY = ["tiny_llama32", "tiny_llama_biases", "tiny_llama_f16"];

/** Prompts of these lengths. */
function prompts(lengths: readonly number[], vocabulary: number): Uint32Array<ArrayBuffer>[] {
  return lengths.map((length, text) =>
    Uint32Array.from({ length }, (_, at) => (at * 7 + text * 31 + 1) % vocabulary)
  );
}

function withSeeds(list: readonly Uint32Array[]): Continuation[] {
  return list.map((prompt, seed) => ({ prompt, seed }));
}

function write(
  gpu: Gpu,
  llama: Llama,
  texts: readonly Continuation[],
  options: Partial<Generation> = {},
  limits = LIMITS,
): Promise<Uint32Array<ArrayBuffer>[]> {
  const generation = { maxNewTokens: 21, endIds: [], sampling: GREEDY, ...options };
  return generate(gpu, llama, texts, limits, generation);
}

/** The most probable next tokens of each text, each by a pass over the whole texts. */
async function slowly(gpu: Gpu, llama: Llama, list: readonly Uint32Array[], count: number) {
  const texts = list.map((prompt) => [...prompt]);
  for (let i = 0; i < count; i++) {
    const batch = pack(texts.map((ids) => Uint32Array.from(ids)));
    const residual = await llama.forward(batch, [], true);
    let end = 0;
    using logits = await llama.logits(residual, texts.map((ids) => (end += ids.length) - 1));
    const values = await readRows(gpu, logits);
    texts.forEach((ids, row) => {
      const own = values.subarray(row * logits.width, (row + 1) * logits.width);
      ids.push(own.indexOf(Math.max(...own)));
    });
  }
  return texts.map((ids, i) => Uint32Array.from(ids.slice(list[i].length)));
}

for (const family of FAMILIES) {
  for (const name of TINY) {
    Deno.test(`${name}, ${family}: the tokens that whole passes give`, async () => {
      using gpu = await openTestGpu({ family });
      using model = await openTestLlama(gpu, `tests/fixtures/${name}`);
      const list = prompts([1, 37, 5], model.llama.config.vocabularySize);
      const written = await write(gpu, model.llama, withSeeds(list), { maxNewTokens: 12 });
      assert.deepEqual(written, await slowly(gpu, model.llama, list, 12));
    });
  }

  Deno.test(`${family}: a cached pass equals the packed one to the bit, in parts of any length`, async () => {
    using gpu = await openTestGpu({ family });
    using model = await openTestLlama(gpu, "tests/fixtures/tiny_llama32");
    const { llama } = model;
    const texts = prompts([33, 7, 65], 300);
    const packed = await readRows(gpu, await llama.forward(pack(texts), [], true));
    using cache = new KvCache(gpu, llama.config, 3, 65);
    const width = llama.config.hiddenSize;
    const starts = [0, 33, 40];
    for (const [from, to] of [[0, 5], [5, 6], [6, 31], [31, 65]]) {
      const tokens = texts.flatMap((ids, text) =>
        Array.from(ids, (id, position) => ({ id, text, position }))
          .filter(({ position }) => position >= from && position < to)
      );
      using owned = new DisposableStack();
      const words = (list: number[]) => ({
        buffer: owned.use(gpu.bufferOf("words", Uint32Array.from(list))).resource,
      });
      const recorder = gpu.recorder();
      const residual = await llama.forwardCached(recorder, {
        count: tokens.length,
        ids: words(tokens.map(({ id }) => id)),
        positions: words(tokens.map(({ position }) => position)),
        firsts: words(tokens.map(({ text }) => text * 65)),
      }, cache);
      recorder.submit();
      const found = await readRows(gpu, residual);
      tokens.forEach(({ text, position }, row) => {
        const at = (starts[text] + position) * width;
        assert.deepEqual(
          found.subarray(row * width, (row + 1) * width),
          packed.subarray(at, at + width),
        );
      });
    }
  });
}

Deno.test("embedded model: 64 greedy tokens of nine prompts are those of transformers", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  const path = projectPath("tests/fixtures/greedy/greedy.json");
  const expected: { lang: string; prompt_ids: number[]; ids: number[]; margins: number[] }[] = JSON
    .parse(await Deno.readTextFile(path));
  assert.equal(expected.length, 9);
  // no step is so close that rounding could decide it
  assert.ok(Math.min(...expected.flatMap(({ margins }) => margins)) > 1e-3);
  const texts = withSeeds(expected.map(({ prompt_ids }) => Uint32Array.from(prompt_ids)));
  const written = await write(gpu, model.llama, texts, { maxNewTokens: 64 });
  for (const [i, { lang, ids }] of expected.entries()) {
    assert.deepEqual([...written[i]], ids, lang);
  }
});

Deno.test("a text depends on its prompt and seed alone: not on the batch, its limits or the chunk", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "tests/fixtures/tiny_llama32");
  const { llama } = model;
  const lengths = Array.from({ length: 67 }, (_, i) => 1 + (i * 13) % 40);
  const texts = withSeeds(prompts(lengths, 300));
  const options = { sampling: LOOSE, maxNewTokens: 11 };
  const together = await write(gpu, llama, texts, options);
  assert.notDeepEqual(together[0], together[40]);
  const backwards = await write(gpu, llama, texts.toReversed(), { ...options, chunk: 5 }, {
    tokens: 200,
    examples: 17,
  });
  assert.deepEqual(backwards.toReversed(), together);
  const alone = await write(gpu, llama, [texts[66]], { ...options, chunk: 1 });
  assert.deepEqual(alone[0], together[66]);
  const [other] = await write(gpu, llama, [{ ...texts[66], seed: 66 + 2 ** 32 }], options);
  assert.notDeepEqual(other, together[66]);
});

Deno.test("a text ends with an end token; the others go on as before; progress counts what is drawn", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "tests/fixtures/tiny_llama32");
  const texts = withSeeds(prompts([3, 9, 4, 12], 300));
  const options = { sampling: LOOSE, maxNewTokens: 25, chunk: 4 };
  const whole = await write(gpu, model.llama, texts, options);
  const endIds = [whole[0][0], whole[1][6], whole[2][24]];
  const cut = whole.map((ids) => {
    const end = ids.findIndex((id) => endIds.includes(id));
    return end < 0 ? ids : ids.slice(0, end + 1);
  });
  let drawn = 0;
  const progress = (tokens: number) => void (drawn += tokens);
  const ended = await write(gpu, model.llama, texts, { ...options, endIds, progress });
  assert.deepEqual(ended, cut);
  assert.equal(ended[0].length, 1);
  assert.ok(ended[1].length <= 7);
  assert.equal(drawn, cut.reduce((sum, ids) => sum + ids.length, 0));
});

Deno.test("weights that exceed the memory budget are streamed, with the same texts", async () => {
  const run = async (memoryBudget?: number) => {
    using gpu = await openTestGpu({ memoryBudget });
    using model = await openTestLlama(gpu, "tests/fixtures/tiny_llama32");
    const texts = withSeeds(prompts([4, 11], 300));
    const written = await write(gpu, model.llama, texts, { sampling: LOOSE, maxNewTokens: 6 });
    return { written, peak: gpu.memory.peak };
  };
  const free = await run();
  const budget = Math.floor(free.peak * 0.75);
  const tight = await run(budget);
  assert.deepEqual(tight.written, free.written);
  assert.ok(tight.peak <= budget && tight.peak < free.peak);
});

Deno.test("a vocabulary smaller than the top-k, no texts, and a prompt without tokens", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "tests/fixtures/tiny_llama_biases");
  const sampling = { temperature: 1, topK: 512, topP: 1 };
  const [ids] = await write(gpu, model.llama, withSeeds(prompts([2], 150)), { sampling });
  assert.equal(ids.length, 21);
  assert.ok(ids.every((id) => id < 150));
  assert.deepEqual(await write(gpu, model.llama, []), []);
  await assert.rejects(
    write(gpu, model.llama, withSeeds([Uint32Array.of(1), new Uint32Array()])),
    (error) => error instanceof InputError && /has 0 tokens/.test(error.message),
  );
});

Deno.test("a cache is as large as the adapter and half of the free memory budget allow", async () => {
  // 3 layers, 2 key-value heads of 16: 64 floats per token and layer
  using gpu = await openTestGpu({ memoryBudget: 3 * 100 * 256 * 20 });
  using model = await openTestLlama(gpu, "tests/fixtures/tiny_llama32");
  assert.equal(mostSequences(gpu, model.llama.config, 100), 10);
  assert.equal(mostSequences(gpu, model.llama.config, 1e6), 1);
  using free = await openTestGpu();
  const fits = mostSequences(free, model.llama.config, 100);
  assert.ok(fits * 100 * 256 <= free.limits.maxStorageBufferBindingSize);
  assert.ok(fits > 1000);
});
