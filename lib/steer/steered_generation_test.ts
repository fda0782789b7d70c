/** Steered texts against the oracle, whole passes with the same edits, and the published loop. */
import assert from "node:assert/strict";
import { openTestGpu } from "../../tests/support/gpu.ts";
import { openTestLlama } from "../../tests/support/models.ts";
import { ORACLE_LANGUAGES, oracleCounts } from "../../tests/support/oracle_counts.ts";
import { projectPath } from "../../tests/support/tensors.ts";
import type { Gpu } from "../gpu/device.ts";
import { readRows } from "../gpu/rows.ts";
import type { Sampling } from "../gpu/sampler.ts";
import { identifySaeLape } from "../lape/identify_sae.ts";
import { fromLapeJson, toLapeJson } from "../lape/lape_json.ts";
import { pack } from "../nn/batch.ts";
import { type Continuation, generate, NO_SET } from "../nn/generation.ts";
import { resolveHookpoints } from "../nn/hookpoints.ts";
import type { Llama } from "../nn/llama.ts";
import { userAccess } from "../subject/access.ts";
import { openSubject } from "../subject/subject.ts";
import { EditHooks } from "./edit_hooks.ts";
import { type Edit, saeEdits } from "./interventions.ts";
import { generatePublished } from "./published_generation.ts";

const GREEDY: Sampling = { temperature: 0, topK: 50, topP: 1 };
const LIMITS = { tokens: 512, examples: 64 };

/** Greedy continuations of BOS; `ids` has BOS first. */
interface OracleGreedy {
  readonly lang: string | null;
  readonly multiplier: number;
  readonly ids: number[];
  readonly margins: number[];
}

async function oracleGreedy(): Promise<OracleGreedy[]> {
  const path = projectPath("tests/fixtures/oracle/classify_and_greedy.json");
  return JSON.parse(await Deno.readTextFile(path)).greedy;
}

Deno.test("embedded model: the oracle's greedy texts, plain and steered, in one batch", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  using subject = await openSubject({}, userAccess());
  const counts = oracleCounts("shared", "sae");
  const { languages, features } = fromLapeJson(
    toLapeJson(identifySaeLape(counts, { exampleRate: 0.5 }), counts),
    "oracle",
  );
  const expected = await oracleGreedy();
  assert.equal(expected.length, 5);
  assert.ok(Math.min(...expected.flatMap(({ margins }) => margins)) > 1e-3);
  const sets = await Promise.all(
    expected.map(({ lang, multiplier }) =>
      lang === null ? Promise.resolve<Edit[]>([]) : saeEdits(
        subject.targets,
        features[languages.indexOf(ORACLE_LANGUAGES[lang])],
        { value: "max", multiplier },
      )
    ),
  );
  using hooks = new EditHooks(gpu, sets);
  const texts = sets.map((_, set): Continuation => ({
    prompt: Uint32Array.of(8190),
    seed: 0,
    set,
  }));
  const generation = { maxNewTokens: 24, endIds: [], sampling: GREEDY };
  const written = await generate(gpu, model.llama, texts, LIMITS, generation, hooks);
  for (const [i, { lang, ids }] of expected.entries()) {
    assert.deepEqual([...written[i]], ids.slice(1), String(lang));
  }
});

/** Vectors and neurons of two sets, large enough to change what is written. */
function tinyEdits(llama: Llama, strength: number): Edit[] {
  const hookpoints = resolveHookpoints(
    ["layers.*.mlp", "layers.*.mlp.act_fn"],
    llama.config.layers,
  );
  return hookpoints.map((hookpoint): Edit =>
    hookpoint.site === "mlp"
      ? {
        ...{ kind: "add", hookpoint },
        vector: Float32Array.from({ length: 80 }, (_, i) => strength * Math.sin(i * strength)),
      }
      : {
        ...{ kind: "neurons", hookpoint, add: true },
        neurons: Uint32Array.of(3, 70),
        values: Float32Array.of(strength, -strength),
      }
  );
}

/** Most probable next tokens by passes over the whole text; edits at `edited` and later positions. */
async function slowly(
  gpu: Gpu,
  llama: Llama,
  prompt: Uint32Array,
  edits: readonly Edit[],
  edited: number,
): Promise<number[]> {
  using hooks = new EditHooks(gpu, [edits]);
  const ids = [...prompt];
  for (let i = 0; i < 9; i++) {
    using groups = gpu.bufferOf(
      "groups",
      Uint32Array.from(ids, (_, at) => at >= edited ? 0 : NO_SET),
    );
    const binding = { buffer: groups.resource, size: ids.length * 4 };
    const batch = pack([Uint32Array.from(ids)]);
    const residual = await llama.forward(batch, hooks.hooks(binding), true);
    using logits = await llama.logits(residual, [ids.length - 1]);
    const values = await readRows(gpu, logits);
    ids.push(values.indexOf(Math.max(...values)));
  }
  return ids.slice(prompt.length);
}

Deno.test("edits at all tokens, or from the last of the prompt on, as in whole passes with them", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "tests/fixtures/tiny_llama32");
  const { llama } = model;
  const prompts = [12, 1, 5].map((length) =>
    Uint32Array.from({ length }, (_, at) => (at * 29 + length) % 300)
  );
  const sets = [tinyEdits(llama, 0.8), [], tinyEdits(llama, -0.5)];
  using hooks = new EditHooks(gpu, sets);
  const texts = [0, 1, 2].map((i): Continuation => ({
    ...{ prompt: prompts[i], seed: i },
    ...(i === 1 ? {} : { set: i }),
  }));
  const found: number[][][] = [];
  for (const lastTokenOnly of [false, true]) {
    const generation = { maxNewTokens: 9, endIds: [], sampling: GREEDY, chunk: 4, lastTokenOnly };
    const written = await generate(gpu, llama, texts, LIMITS, generation, hooks);
    found.push(written.map((ids) => [...ids]));
    for (const [i, prompt] of prompts.entries()) {
      const edited = lastTokenOnly ? prompt.length - 1 : 0;
      assert.deepEqual(found.at(-1)?.[i], await slowly(gpu, llama, prompt, sets[i], edited));
    }
  }
  assert.notDeepEqual(found[0][0], found[1][0]);
});

Deno.test("the published loop writes what the cache does, as long as tokenising again changes nothing", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  using subject = await openSubject({}, userAccess());
  const { tokenizer } = subject;
  using hooks = new EditHooks(gpu, []);
  const prompt = Uint32Array.from(tokenizer.encode("The history of"));
  const sampling = { temperature: 0.6, topK: 50, topP: 0.9 };
  const texts = [0, 1, 2, 3, 4, 5].map((seed): Continuation => ({ prompt, seed }));
  const generation = { maxNewTokens: 8, endIds: [8191], sampling };
  const cached = await generate(gpu, model.llama, texts, LIMITS, generation);
  const published = await generatePublished(
    ...[
      gpu,
      model.llama,
      tokenizer,
      texts,
      { tokens: 40, examples: 3 },
      generation,
      hooks,
    ] as const,
  );
  let compared = 0;
  for (const [i, ids] of cached.entries()) {
    const stable = Array.from(ids, (_, at) => [...prompt, ...ids.subarray(0, at)])
      .every((some) => String(tokenizer.encode(tokenizer.decode(some.slice(1)))) === String(some));
    if (!stable) continue;
    assert.equal(published[i].text, tokenizer.decode([...prompt.slice(1), ...ids]));
    assert.equal(published[i].tokens, ids.length);
    compared++;
  }
  assert.ok(compared >= 1, `${compared} texts compared`);
});

Deno.test("the published loop: characters cut by a token are lost, the end token stays in the text", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  using subject = await openSubject({}, userAccess());
  const { tokenizer } = subject;
  using hooks = new EditHooks(gpu, []);
  // the first byte of a Thai character
  const byte = [...Array(8192).keys()].find((id) => String(tokenizer.tokenText(id)) === "224");
  assert.ok(byte !== undefined);
  const texts: Continuation[] = [{ prompt: Uint32Array.of(8190, byte), seed: 0 }];
  const write = async (endIds: number[]) => {
    const generation = { maxNewTokens: 6, endIds, sampling: GREEDY };
    const [cached] = await generate(gpu, model.llama, texts, LIMITS, generation);
    const [published] = await generatePublished(
      ...[gpu, model.llama, tokenizer, texts, LIMITS, generation, hooks] as const,
    );
    return { cached, published };
  };
  const whole = await write([]);
  assert.equal(whole.published.text[0], "\ufffd");
  assert.deepEqual([whole.published.tokens, whole.published.ended], [6, false]);
  const [first] = whole.cached;
  assert.deepEqual((await write([first])).published, {
    text: tokenizer.decode([byte, first]),
    tokens: 1,
    ended: true,
  });
});
