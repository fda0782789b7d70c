import assert from "node:assert/strict";
import { refuses } from "../../tests/support/refusals.ts";
import { type HookpointOptions, trainingHookpoints } from "./training_hookpoints.ts";

function names(options: Partial<HookpointOptions>, layers = 12): string[] {
  const all = { hookpoints: [], layers: [], layerStride: 1, ...options };
  return trainingHookpoints(all, layers, ["layers.*"]).map(({ name }) => name);
}

Deno.test("blocks in their natural order where nothing is named", () => {
  assert.deepEqual(names({}), Array.from({ length: 12 }, (_, i) => `layers.${i}`));
  assert.deepEqual(names({ layerStride: 5 }), ["layers.0", "layers.5", "layers.10"]);
});

Deno.test("globs and numbers", () => {
  assert.deepEqual(names({ hookpoints: ["layers.10.mlp", "layers.{2,1}.mlp", "layers.2*"] }), [
    "layers.1.mlp",
    "layers.2.mlp",
    "layers.2",
    "layers.10.mlp",
  ]);
  assert.deepEqual(names({ layers: [3, 1] }), ["layers.1", "layers.3"]);
});

Deno.test("as published, * matches dots", () => {
  const fixed = names({ hookpoints: ["layers.*"] }, 2);
  assert.deepEqual(fixed, ["layers.0", "layers.1"]);
  const paper = names({ hookpoints: ["layers.*"], compat: "paper" }, 2);
  assert.deepEqual(paper, [
    ...["layers.0.mlp.act_fn", "layers.0.mlp", "layers.0"],
    ...["layers.1.mlp.act_fn", "layers.1.mlp", "layers.1"],
  ]);
  assert.deepEqual(names({ hookpoints: ["*.mlp"], compat: "paper" }, 2), [
    "layers.0.mlp",
    "layers.1.mlp",
  ]);
});

Deno.test("what excludes each other, and what matches nothing, is refused", async () => {
  await refuses(() => names({ hookpoints: ["layers.0"], layers: [1] }), /both name hookpoints/);
  await refuses(
    () => names({ layers: [1], layerStride: 2 }),
    /--layer-stride 2 has nothing to skip/,
  );
  await refuses(() => names({ layers: [12] }), /layers.12" is not in this model/);
  await refuses(() => names({ hookpoints: ["mlp"], compat: "paper" }), /match nothing/);
});
