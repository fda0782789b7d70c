import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../../tests/support/gpu.ts";
import { nmse } from "../../../tests/support/numbers.ts";
import { openSaeFixture, saeFixtures } from "../../../tests/support/sae_fixtures.ts";
import { allocateRows, readRows, rowsBetween, writeRows } from "../../gpu/rows.ts";
import { WeightStore } from "../../gpu/weight_store.ts";
import { openReconstructor } from "./reconstructor.ts";

/** f32 sums of up to some hundred products. */
const TOLERANCE = 1e-9;

for (const family of FAMILIES) {
  Deno.test(`SAEs of all families reconstruct what their authors' formulas say: ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    let decodable = 0;
    for (const found of saeFixtures()) {
      using fixture = await openSaeFixture(found);
      const { sae, x, features, reconstruction } = fixture;
      const { decoder, inputSize, latents } = sae;
      if (!decoder) continue;
      decodable++;
      const tokens = x.length / inputSize;
      using store = new WeightStore(gpu);
      // Room for more rows than there are.
      using reconstructor = await openReconstructor(gpu, store, { ...sae, decoder }, tokens + 3);
      using rows = allocateRows(gpu, "x", tokens, inputSize);
      using results = allocateRows(gpu, "y", tokens + 3, inputSize);
      writeRows(gpu, rows, x);
      const y = rowsBetween(results, 0, tokens);
      const recorder = gpu.recorder();
      await reconstructor.run(recorder, rows, y);
      recorder.submit();
      const error = nmse(await readRows(gpu, y), reconstruction);
      assert.ok(error <= TOLERANCE, `${found.folder}: normalised mean squared error ${error}`);
      const { active, latents: fired } = await reconstructor.fired();
      const expected = Array.from(features.keys()).filter((at) => features[at] > 0);
      assert.equal(active, expected.length, found.folder);
      assert.deepEqual(new Set(fired), new Set(expected.map((at) => at % latents)), found.folder);
    }
    assert.ok(decodable > 3);
  });
}
