import assert from "node:assert/strict";
import type { LapeFeature } from "../lape/lape_json.ts";
import { resolveHookpoints } from "../nn/hookpoints.ts";
import { parseLlamaConfig } from "../nn/config.ts";
import { projectPath } from "../../tests/support/tensors.ts";
import { readJson } from "../data/files.ts";
import { distinctFeatures, locateFeatures, nameOf } from "./located_features.ts";

const path = projectPath("assets/demo/model/config.json");
const config = parseLlamaConfig(await readJson(path), path);

/** Neurons of layers 1 and 3 are open; the model has 384 in each. */
const SUBJECT = {
  config,
  targets: resolveHookpoints(["layers.{1,3}.mlp.act_fn"], config.layers)
    .map((hookpoint) => ({ hookpoint })),
};

function identified(features: Record<string, [layer: number, index: number][]>) {
  const rest = { entropy: 0, probability: 0, globalMax: 0, globalMin: 0, globalAvg: 0 };
  const result = {
    languages: Object.keys(features),
    examples: [],
    tokens: [],
    layers: 4,
    features: Object.values(features).map((list) =>
      list.map(([layer, index]): LapeFeature => ({ layer, index, ...rest }))
    ),
  };
  return { result, path: "lape.json", sha256: "" };
}

Deno.test("features are those of open layers, of languages that have any", () => {
  const languages = locateFeatures(
    identified({
      English: [[0, 9], [3, 383]],
      German: [],
      Thai: [[2, 1]],
      Turkish: [[1, 5], [3, 383]],
    }),
    SUBJECT,
  );
  assert.deepEqual(languages, [
    { language: "English", features: [{ layer: 3, index: 383, target: 1 }] },
    {
      language: "Turkish",
      features: [{ layer: 1, index: 5, target: 0 }, { layer: 3, index: 383, target: 1 }],
    },
  ]);
  assert.deepEqual(distinctFeatures(languages).map(nameOf), ["L1/5", "L3/383"]);
});

Deno.test("files of another model are refused", () => {
  assert.throws(
    () => locateFeatures(identified({ English: [[3, 384]] }), SUBJECT),
    /lape\.json names L3\/384, but layers\.3\.mlp\.act_fn has 384 neurons/,
  );
  assert.throws(
    () => locateFeatures(identified({ English: [[0, 1]], German: [] }), SUBJECT),
    /lape\.json has no features in layers\.1\.mlp\.act_fn, layers\.3\.mlp\.act_fn/,
  );
});
