import assert from "node:assert/strict";
import { refuses, survivesHostileFields } from "../../tests/support/refusals.ts";
import { f32, tensorFile } from "../../tests/support/tensor_files.ts";
import type { Tensor } from "../formats/safetensors.ts";
import { openSaeLensSae, saeLensHookpoint } from "./saelens.ts";

const CONFIG = {
  architecture: "standard",
  d_in: 3,
  d_sae: 6,
  normalize_activations: "none",
  reshape_activations: "none",
  metadata: { hook_name: "blocks.1.hook_mlp_out", hook_head_index: null },
};

function tensors(changes: Record<string, Tensor | undefined> = {}) {
  return tensorFile({
    W_enc: f32([3, 6]),
    b_enc: f32([6]),
    W_dec: f32([6, 3]),
    b_dec: f32([3]),
    ...changes,
  });
}

const open = (config: unknown, changes: Record<string, Tensor | undefined> = {}) =>
  openSaeLensSae(config, tensors(changes), "sae");

Deno.test("SAELens: rows of the encoder are W_enc's columns; ReLU is a threshold of 0", async () => {
  const sae = await open(CONFIG);
  assert.deepEqual([sae.inputSize, sae.latents], [3, 6]);
  assert.deepEqual(
    new Float32Array((await sae.encoder.read(1, 3)).buffer),
    Float32Array.of(1, 7, 13, 2, 8, 14),
  );
  assert.deepEqual(sae.activation, { kind: "threshold", thresholds: new Float32Array(6) });
  assert.deepEqual([...sae.inputBias.subarray(0, 4)], [0, 1, 2, 0]);
});

Deno.test("SAELens: an encoder alone, and one that does not subtract b_dec", async () => {
  const sae = await open({ ...CONFIG, apply_b_dec_to_input: false }, { W_dec: undefined });
  assert.equal(sae.decoder, undefined);
  assert.ok(sae.inputBias.every((value) => value === 0));
});

Deno.test("SAELens: flat configs mean what version 6 says by other names", async () => {
  const flat = { d_in: 3, d_sae: 6, hook_point: "blocks.2.hook_resid_pre" };
  assert.equal(saeLensHookpoint(flat, "sae"), "layers.1");
  assert.equal(saeLensHookpoint({ ...flat, hook_name: "model.layers.4" }, "sae"), "layers.4");
  const k = { activation_fn_str: "topk", activation_fn_kwargs: { k: 2 } };
  assert.deepEqual((await open({ ...flat, ...k })).activation, { kind: "topk", k: 2 });
  const scaled = { ...flat, normalize_activations: true, scaling_factor: 0.5 };
  const { encoderBias, latentScale } = await open(scaled);
  assert.deepEqual([...encoderBias.subarray(0, 3)], [0, 2, 4]);
  assert.deepEqual(latentScale, new Float32Array(6).fill(0.5));
  assert.equal((await open({ ...flat, normalize_activations: false })).latentScale, undefined);
});

Deno.test("SAELens: a factor of fine-tuning is dropped when it is all ones", async () => {
  await open(CONFIG, { scaling_factor: f32([6], [1, 1, 1, 1, 1, 1]) });
  for (const name of ["scaling_factor", "finetuning_scaling_factor"]) {
    const factors = { [name]: f32([6], [1, 1, 1, 1.1, 1, 1]) };
    await refuses(() => open(CONFIG, factors), /sae_weights\.safetensors: ".*" multiplies/);
  }
});

Deno.test("SAELens: thresholds below 0 act like 0; those that are no number are refused", async () => {
  const jump = { ...CONFIG, architecture: "jumprelu" };
  const { activation } = await open(jump, { threshold: f32([6], [1, -1, 0, 2, -0.5, 3]) });
  assert.ok(activation.kind === "threshold");
  assert.deepEqual([...activation.thresholds], [1, 0, 0, 2, 0, 3]);
  for (const bad of [NaN, Infinity]) {
    const threshold = f32([6], [1, 1, bad, 1, 1, 1]);
    await refuses(() => open(jump, { threshold }), /"threshold" of latent 2 is (NaN|Infinity)/);
  }
  await refuses(() => open(jump), /has no tensor "threshold"/);
  await refuses(() => open(jump, { threshold: f32([5]) }), /"threshold" has shape \[5\]/);
});

Deno.test("SAELens: what is malformed or not supported is said in one sentence", async () => {
  const cases: [object, RegExp][] = [
    [{ d_in: undefined }, /sae\/cfg\.json: field "d_in"/],
    [{ d_sae: "6" }, /field "d_sae"/],
    [{ d_sae: 5 }, /"W_enc" has shape \[3,6\], but \[3,5\]/],
    [{ architecture: "gated" }, /"gated" SAEs are not supported, only standard/],
    [{ architecture: "skip_transcoder" }, /transcoders are not supported/],
    [{ architecture: "jumprelu_transcoder" }, /transcoders are not supported/],
    [{ architecture: "matryoshka_batchtopk" }, /checkpoint of training.*makes it jumprelu/],
    [{ activation_fn_str: "tanh-relu" }, /"activation tanh-relu" SAEs are not supported/],
    [{ architecture: "topk" }, /k is missing, expected 1 to 6/],
    [{ architecture: "topk", k: 7 }, /k is 7, expected 1 to 6/],
    [{ reshape_activations: "hook_z" }, /attention heads \(hook_z\) are not supported/],
    [{ metadata: { hook_name: "blocks.1.attn.hook_z" } }, /attention heads/],
    [{ metadata: { hook_name: "blocks.1.hook_mlp_out", hook_head_index: 0 } }, /attention heads/],
    [{ normalize_activations: "expected_average_only_in" }, /its scale is not there; add norm_sc/],
    [{ normalize_activations: "covariance_whitening" }, /"covariance_whitening" is not supported/],
  ];
  for (const [change, message] of cases) {
    await refuses(() => open({ ...CONFIG, ...change }), message);
  }
  await refuses(() => open(CONFIG, { b_enc: undefined }), /has no tensor "b_enc"/);
  const norms = { ...CONFIG, architecture: "topk", k: 2, rescale_acts_by_decoder_norm: true };
  await refuses(() => open(norms, { W_dec: undefined }), /has no tensor "W_dec"/);
  await refuses(() => saeLensHookpoint({ d_in: 3, d_sae: 6 }, "sae"), /cfg\.json has no hook_name/);
});

Deno.test("SAELens: hostile configs are opened or refused, never more", async () => {
  const full = {
    ...CONFIG,
    k: 2,
    rescale_acts_by_decoder_norm: false,
    apply_b_dec_to_input: true,
    norm_scaling_factor: 1,
    scaling_factor: 1,
    hook_name: "blocks.1.hook_mlp_out",
    hook_head_index: null,
    activation_fn: "relu",
    activation_fn_str: "relu",
    activation_fn_kwargs: { k: 2 },
  };
  await survivesHostileFields(full, open);
  await survivesHostileFields(full, (config) => saeLensHookpoint(config, "sae"));
});
