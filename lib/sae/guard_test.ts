import assert from "node:assert/strict";
import { openTestGpu } from "../../tests/support/gpu.ts";
import { openTestLlama } from "../../tests/support/models.ts";
import { openDemoSae } from "../../tests/support/saes.ts";
import { projectPath } from "../../tests/support/tensors.ts";
import { readText } from "../data/files.ts";
import { loadTokenizer } from "../formats/tokenizer.ts";
import type { ByteStore } from "../gpu/self_test.ts";
import { resolveHookpoints } from "../nn/hookpoints.ts";
import type { Fidelity } from "./fidelity.ts";
import { guard, verdictOf } from "./guard.ts";
import type { Sae } from "./sae.ts";

/** Tokenised texts in one language, as the embedded model has learned it. */
async function textsIn(lang: string): Promise<Uint32Array[]> {
  const folder = projectPath("assets/demo/model");
  const json = await readText(`${folder}/tokenizer.json`);
  const config = await readText(`${folder}/tokenizer_config.json`);
  const tokenizer = loadTokenizer(json, config, folder);
  const texts = JSON.parse(await readText(projectPath("tests/fixtures/oracle/texts.json")));
  return (texts as Record<string, string[]>)[lang].map((text) => tokenizer.encode(text));
}

function hookpointsOf(pattern: string) {
  return resolveHookpoints([pattern], 6);
}

Deno.test("embedded SAEs are accepted at their own hookpoints, in every script", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  const targets = await Promise.all(
    hookpointsOf("layers.*.mlp").map(async (hookpoint) => ({
      hookpoint,
      sae: await openDemoSae(hookpoint.layer),
    })),
  );
  for (const lang of ["en", "zh"]) {
    const reports = await guard(gpu, model.llama, model.store, targets, await textsIn(lang));
    assert.deepEqual(reports.map(({ verdict }) => verdict), Array(6).fill("accepted"));
    for (const { fidelity, message } of reports) {
      assert.ok(fidelity!.unexplained > 0.05 && fidelity!.unexplained < 0.25);
      assert.equal(fidelity!.activeLatents, 16);
      assert.equal(message, undefined);
    }
  }
});

Deno.test("SAEs at the hookpoint of another layer, or the residual stream, do not pass", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  const texts = await textsIn("en");
  const shifted = await Promise.all(
    hookpointsOf("layers.*.mlp").map(async (hookpoint) => ({
      hookpoint,
      sae: await openDemoSae((hookpoint.layer + 1) % 6),
    })),
  );
  const reports = await guard(gpu, model.llama, model.store, shifted, texts);
  const verdicts = reports.map(({ verdict }) => verdict);
  assert.deepEqual(verdicts, [...Array(5).fill("doubted"), "refused"]);
  assert.match(
    reports[0].message!,
    /^\S+layers\.1\.mlp leaves more unexplained .* at layers\.0\.mlp .*FVU 0\.7/,
  );
  assert.match(
    reports[5].message!,
    /^\S+layers\.0\.mlp reconstructs activations worse .* at layers\.5\.mlp .*\(FVU 1\.0\d, 16 active latents per token, mean norm \S+ of activations and \S+ of reconstructions, over 128 tokens\): check .*, or use --no-guard\.$/,
  );
  // After the first block the residual stream is hardly more than its MLP's output.
  const residual = await Promise.all(
    hookpointsOf("layers.{1,2,3,4,5}").map(async (hookpoint) => ({
      hookpoint,
      sae: await openDemoSae(hookpoint.layer),
    })),
  );
  const others = await guard(gpu, model.llama, model.store, residual, texts);
  assert.ok(others.every(({ verdict }) => verdict === "doubted"));
});

const GOOD: Fidelity = {
  tokens: 128,
  activeLatents: 16,
  unexplained: 0.2,
  activationNorm: 10,
  reconstructionNorm: 9,
  cosine: 0.9,
};
const NAMES = { where: "sae", hookpoint: "layers.0" };

Deno.test("verdicts by their figures", () => {
  const verdict = (change: Partial<Fidelity>) => verdictOf({ ...GOOD, ...change }, NAMES);
  assert.deepEqual(verdict({}), { verdict: "accepted" });
  assert.deepEqual(verdict({ unexplained: 0.5 }), { verdict: "accepted" });
  assert.equal(verdict({ unexplained: 1 }).verdict, "doubted");
  assert.doesNotMatch(verdict({ unexplained: 0.9 }).message!, /--no-guard/);
  assert.match(verdict({ unexplained: 1.01 }).message!, /worse than their mean/);
  assert.match(verdict({ activeLatents: 0 }).message!, /has no latent that fires at layers\.0/);
  assert.match(verdict({ unexplained: NaN }).message!, /not finite.*--no-guard\.$/);
  assert.match(verdict({ activationNorm: Infinity }).message!, /not finite/);
  for (const change of [{ unexplained: 2 }, { activeLatents: 0 }, { reconstructionNorm: NaN }]) {
    assert.equal(verdict(change).verdict, "refused");
  }
});

function mapStore(): ByteStore & { readonly map: Map<string, Uint8Array> } {
  const map = new Map<string, Uint8Array>();
  return {
    map,
    get: (key) => Promise.resolve(map.get(key)),
    set: (key, bytes) => Promise.resolve(void map.set(key, bytes)),
  };
}

Deno.test("measurements are remembered by key and sample, not finite ones and damage included", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  const [hookpoint] = hookpointsOf("layers.0.mlp");
  const sae = await openDemoSae(0);
  const silent: Sae = {
    ...sae,
    activation: { kind: "threshold", thresholds: new Float32Array(2048).fill(1e9) },
  };
  const broken: Sae = {
    ...sae,
    decoder: { ...sae.decoder!, bias: new Float32Array(128).fill(NaN) },
  };
  const texts = await textsIn("en");
  const store = mapStore();
  const run = (which: Sae, key: string, from = 0) =>
    guard(gpu, model.llama, model.store, [{ hookpoint, sae: which }], texts.slice(from), {
      store,
      key,
    });
  const first = await run(silent, "a");
  assert.match(first[0].message!, /no latent that fires/);
  // What is remembered under a key is believed, whatever the SAE: only the key tells them apart.
  assert.deepEqual(await run(sae, "a"), first);
  assert.equal((await run(sae, "b"))[0].verdict, "accepted");
  assert.equal((await run(sae, "a", 3))[0].verdict, "accepted");
  assert.equal(store.map.size, 3);
  const lost = await run(broken, "c");
  assert.match(lost[0].message!, /not finite/);
  assert.deepEqual(await run(sae, "c"), lost);
  for (const damage of ["", "{", "[]", '[{"tokens":"1"}]']) {
    for (const key of store.map.keys()) store.map.set(key, new TextEncoder().encode(damage));
    assert.equal((await run(sae, "c"))[0].verdict, "accepted");
  }
});

Deno.test("without a decoder or texts there is no verdict but a reason; neurons are passed over", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  const [hookpoint, neurons] = hookpointsOf("layers.0.{mlp,mlp.act_fn}").reverse();
  const sae = await openDemoSae(0);
  const { decoder: _, ...encoderAlone } = sae;
  const run = (sae: Sae, texts: Uint32Array[]) =>
    guard(gpu, model.llama, model.store, [{ hookpoint, sae }, { hookpoint: neurons }], texts);
  const [alone, ...rest] = await run(encoderAlone, await textsIn("en"));
  assert.equal(rest.length, 0);
  assert.equal(alone.verdict, "unmeasured");
  assert.match(
    alone.message!,
    /could not be checked at layers\.0\.mlp: its files hold an encoder alone/,
  );
  const [short] = await run(sae, [Uint32Array.of(8190), Uint32Array.of(8190, 5, 6)]);
  assert.match(short.message!, /fewer than 16 tokens/);
  assert.equal(short.fidelity, undefined);
});

Deno.test("measuring streams weights within a memory budget, to the same figures", async () => {
  const texts = await textsIn("de");
  const run = async (memoryBudget?: number) => {
    using gpu = await openTestGpu({ memoryBudget });
    using model = await openTestLlama(gpu, "assets/demo/model");
    const targets = await Promise.all(
      hookpointsOf("layers.*.mlp").map(async (hookpoint, i) => {
        const sae = await openDemoSae(hookpoint.layer);
        const thresholds = new Float32Array(2048).fill(1);
        return {
          hookpoint,
          sae: i === 1 ? { ...sae, activation: { kind: "threshold", thresholds } as const } : sae,
        };
      }),
    );
    const reports = await guard(gpu, model.llama, model.store, targets, texts);
    return { reports, peak: gpu.memory.peak };
  };
  const resident = await run();
  const streamed = await run(resident.peak - 2 * 2 ** 20);
  assert.ok(streamed.peak <= resident.peak - 2 * 2 ** 20);
  assert.deepEqual(streamed.reports, resident.reports);
});
