import assert from "node:assert/strict";
import { join } from "node:path";
import { withFolder } from "../../tests/support/run.ts";
import { InputError } from "../formats/input_error.ts";
import { encodeSafetensors, type Tensor } from "../formats/safetensors.ts";
import { readDiffMean, writeDiffMean } from "./diffmean_files.ts";

const DIFF = {
  languages: ["Hindi", 'Thai, "old"'],
  layers: [0, 3, 7],
  width: 5,
  mean: Float32Array.from({ length: 2 * 3 * 5 }, (_, i) => (i - 11) / 8),
  centre: Float32Array.from({ length: 3 * 5 }, (_, i) => i / 4),
};

Deno.test("what is written is read back", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "new/diffmean.safetensors");
    await writeDiffMean(path, DIFF);
    assert.deepEqual(await readDiffMean(path), DIFF);
  });
});

Deno.test("other files are refused, saying what is wrong", async () => {
  const mean: Tensor = { dtype: "F32", shape: [2, 3, 5], data: DIFF.mean };
  const centre: Tensor = { dtype: "F32", shape: [3, 5], data: DIFF.centre };
  const metadata = { languages: '["Hindi","Thai"]', layers: "0,3,7" };
  const holed = DIFF.mean.slice().fill(NaN, 4, 5);
  const cases: [Record<string, Tensor>, Record<string, string>, RegExp][] = [
    [{ other: mean, centre }, metadata, /no tensor "mean"/],
    [{ mean }, metadata, /no tensor "centre"/],
    [{ mean, centre: { ...centre, shape: [5, 3] } }, metadata, /centre is F32 \[5,3\]/],
    [{ mean: { ...mean, shape: [6, 5] }, centre }, metadata, /mean is F32 \[6,5\]/],
    [{ mean: { ...mean, dtype: "I32" }, centre }, metadata, /mean is I32/],
    [{ mean: { ...mean, data: holed }, centre }, metadata, /not finite/],
    [{ mean, centre }, { ...metadata, languages: '["Hindi"]' }, /name the 2 languages/],
    [{ mean, centre }, { ...metadata, languages: "[1,2]" }, /name the 2 languages/],
    [{ mean, centre }, { layers: "0,3,7" }, /name the 2 languages/],
    [{ mean, centre }, { ...metadata, layers: "0,3" }, /name the 3 layers/],
    [{ mean, centre }, { ...metadata, layers: "0,3,x" }, /name the 3 layers/],
  ];
  await withFolder(async (folder) => {
    const path = join(folder, "diffmean.safetensors");
    await assert.rejects(readDiffMean(path), InputError);
    for (const [tensors, about, fault] of cases) {
      await Deno.writeFile(path, encodeSafetensors(tensors, about));
      await assert.rejects(readDiffMean(path), (error) => {
        assert.ok(error instanceof InputError);
        assert.match(error.message, fault);
        return true;
      });
    }
  });
});
