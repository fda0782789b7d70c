/** Models and SAEs in the files of other programs, through the command line. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { openSafetensorsFile } from "../lib/data/safetensors_files.ts";
import { decodeCounts } from "../lib/formats/counts.ts";
import { toFloat32 } from "../lib/formats/dtype.ts";
import { encodeSafetensors, type Tensor } from "../lib/formats/safetensors.ts";
import { equalCounts } from "../lib/lape/counts.ts";
import { ROOT, runScript, withFolder } from "./support/run.ts";

const TEXTS = ["--dataset-configs", "udhr:th:train:0:6"];
const DEMO = `${ROOT}assets/demo`;

/** Writes an embedded SAE as SAELens does: the same numbers, W_enc transposed. */
async function writeAsSaeLens(layer: number, folder: string): Promise<void> {
  const path = `${DEMO}/sae/layers.${layer}.mlp`;
  const { d_in, k, num_latents } = JSON.parse(await Deno.readTextFile(`${path}/cfg.json`));
  using tensors = await openSafetensorsFile(`${path}/sae.safetensors`);
  const floats = async (name: string) =>
    toFloat32(await tensors.read(name), tensors.info(name).dtype);
  const encoder = await floats("encoder.weight");
  const transposed = encoder.map((_, i) =>
    encoder[(i % num_latents) * d_in + Math.floor(i / num_latents)]
  );
  const f32 = (data: Float32Array<ArrayBuffer>, ...shape: number[]): Tensor => {
    return { dtype: "F32", shape, data };
  };
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeFile(
    join(folder, "sae_weights.safetensors"),
    encodeSafetensors({
      W_enc: f32(transposed, d_in, num_latents),
      b_enc: f32(await floats("encoder.bias"), num_latents),
      W_dec: f32(await floats("W_dec"), num_latents, d_in),
      b_dec: f32(await floats("b_dec"), d_in),
    }),
  );
  const config = {
    architecture: "topk",
    d_in,
    d_sae: num_latents,
    k,
    dtype: "float32",
    apply_b_dec_to_input: true,
    normalize_activations: "none",
    metadata: { hook_name: `blocks.${layer}.hook_mlp_out`, sae_lens_version: "6.18.0" },
  };
  await Deno.writeTextFile(join(folder, "cfg.json"), JSON.stringify(config));
}

Deno.test("the same SAEs in SAELens' files give the same counts", async () => {
  await withFolder(async (cwd) => {
    for (const layer of [1, 4]) await writeAsSaeLens(layer, join(cwd, `release/blocks.${layer}`));
    const count = async (out: string, ...saes: string[]) => {
      const args = ["--model", `${DEMO}/model`, "--sae-model", ...saes, "--out-dir", out];
      const outcome = await runScript("count", [...args, ...TEXTS], { cwd });
      assert.equal(outcome.code, 0, outcome.stderr);
      const path = join(cwd, out, "counts/udhr/th.safetensors");
      return decodeCounts(await Deno.readFile(path), path);
    };
    const theirs = await count("theirs", "release");
    const layers = [1, 4].map((layer) => `layers.${layer}.mlp=${DEMO}/sae/layers.${layer}.mlp`);
    const ours = await count("ours", ...layers);
    assert.deepEqual(theirs.layers, [1, 4]);
    assert.ok(equalCounts(theirs, ours));
    const { guard } = JSON.parse(await Deno.readTextFile(join(cwd, "theirs/counts/run.json")));
    assert.deepEqual(
      guard.map(({ hookpoint, verdict }: Record<string, string>) => [hookpoint, verdict]),
      [["layers.1.mlp", "accepted"], ["layers.4.mlp", "accepted"]],
    );
  });
});

Deno.test("a GGUF file is a model: its neurons are counted, and found again", async () => {
  await withFolder(async (cwd) => {
    const model = ["--model", `${ROOT}tests/fixtures/gguf/tiny.gguf`];
    const args = [...model, "--layer", "layers.*.mlp.act_fn", ...TEXTS];
    const first = await runScript("count", args, { cwd });
    assert.equal(first.code, 0, first.stderr);
    const path = join(cwd, "results/neuron_counts/udhr/th.safetensors");
    const { layers, width, examples, firedTokens } = decodeCounts(await Deno.readFile(path), path);
    assert.deepEqual([layers, width, examples], [[0, 1], 96, 6]);
    assert.ok(firedTokens.some((fired) => fired > 0));
    const run = JSON.parse(
      await Deno.readTextFile(join(cwd, "results/neuron_counts/run.json")),
    );
    assert.equal(run.model.name, "tiny.gguf");
    assert.deepEqual(Object.keys(run.model.sha256), ["tiny.gguf"]);
    const second = await runScript("count", args, { cwd });
    assert.match(second.stdout, /was there/);
    const saes = await runScript("count", [...model, ...TEXTS], { cwd });
    assert.equal(saes.code, 2);
    assert.match(saes.stderr, /No SAEs are named for the model .*tiny\.gguf/);
  });
});
