/** Firings agree with the counts: the same forward pass, seen token by token. */
import assert from "node:assert/strict";
import { openTestGpu } from "../../tests/support/gpu.ts";
import { openTestLlama } from "../../tests/support/models.ts";
import { openDemoSae } from "../../tests/support/saes.ts";
import { Counter } from "../count/counter.ts";
import type { Target } from "../sae/target.ts";
import { resolveHookpoints } from "../nn/hookpoints.ts";
import type { Sae } from "../sae/sae.ts";
import { findFirings } from "./firings.ts";

const TEXTS = [3, 40, 1, 25, 60].map((length, i) =>
  Uint32Array.from({ length }, (_, at) => (at === 0 ? 8190 : (at * 97 + i * 1013) % 8000))
);

type Kind = "latents" | "neurons" | "latents with thresholds";

async function targetsOf(kind: Kind): Promise<Target[]> {
  const pattern = kind === "neurons" ? "layers.{1,4}.mlp.act_fn" : "layers.{1,4}.mlp";
  const targets: Target[] = [];
  for (const hookpoint of resolveHookpoints([pattern], 6)) {
    const sae = kind === "neurons" ? undefined : await openDemoSae(hookpoint.layer);
    const dense = sae && kind === "latents with thresholds" && hookpoint.layer === 4;
    targets.push({ hookpoint, sae: dense ? withThresholds(sae) : sae });
  }
  return targets;
}

/** The same latents with thresholds from -1 to 3: some are active on nearly every token, some rarely. */
function withThresholds(sae: Sae): Sae {
  const thresholds = Float32Array.from({ length: sae.latents }, (_, i) => i % 5 - 1);
  return { ...sae, activation: { kind: "threshold", thresholds } };
}

for (const kind of ["latents", "neurons", "latents with thresholds"] as const) {
  Deno.test(`firings of ${kind} add up to the counts`, async () => {
    using gpu = await openTestGpu();
    using model = await openTestLlama(gpu, "assets/demo/model");
    const { llama, store } = model;
    const targets = await targetsOf(kind);
    using counter = new Counter(gpu, llama, store, targets, { tokens: 200, examples: 10 });
    await counter.add(TEXTS);
    const counts = await counter.take();
    const features = [...counts.firedTokens.keys()]
      .map((at) => ({
        layer: counts.layers[Math.floor(at / counts.width)],
        index: at % counts.width,
        at,
      }))
      .filter(({ at }) => at % 7 === 0);
    const limits = { tokens: 70, examples: 2 };
    const firings = await findFirings(
      { gpu, llama, store, limits },
      targets,
      features,
      TEXTS.map((ids) => ({ ids })),
    );
    let seen = 0;
    for (const { layer, index, at } of features) {
      const found = firings.get(layer, index)!;
      assert.equal(found.length, counts.firedTokens[at]);
      assert.equal(new Set(found.map(({ text }) => text)).size, counts.firedExamples[at]);
      const largest = found.reduce((most, { activation }) => Math.max(most, activation), 0);
      assert.equal(largest, counts.max[at]);
      assert.ok(found.every(({ text, token }) => token < TEXTS[text].length));
      seen += found.length;
    }
    assert.ok(seen > 50);
    assert.equal(firings.get(1, 1), undefined);
  });
}
