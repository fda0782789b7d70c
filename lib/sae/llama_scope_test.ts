import assert from "node:assert/strict";
import { refuses, survivesHostileFields } from "../../tests/support/refusals.ts";
import { f32, tensorFile } from "../../tests/support/tensor_files.ts";
import type { Tensor } from "../formats/safetensors.ts";
import { llamaScopeHookpoint, openLlamaScopeSae } from "./llama_scope.ts";

const CONFIG = {
  hook_point_in: "blocks.5.hook_mlp_out",
  hook_point_out: "blocks.5.hook_mlp_out",
  d_model: 4,
  d_sae: 6,
  act_fn: "jumprelu",
  jump_relu_threshold: 0.5,
  top_k: 2,
  norm_activation: "dataset-wise",
  dataset_average_activation_norm: { in: 8, out: 8 },
  use_decoder_bias: true,
  apply_decoder_bias_to_pre_encoder: false,
  sparsity_include_decoder_norm: true,
  use_glu_encoder: false,
};

const open = (config: unknown, changes: Record<string, Tensor | undefined> = {}) => {
  const tensors = tensorFile({
    "encoder.weight": f32([6, 4]),
    "encoder.bias": f32([6]),
    "decoder.weight": f32([4, 6], [0, 3, 0, 0, 0, 1, 0, 4, ...Array(16).fill(0)]),
    "decoder.bias": f32([4]),
    ...changes,
  });
  return openLlamaScopeSae(config, tensors, "L5M");
};

Deno.test("Llama Scope: the dataset's norm is folded first, then decoder norms, then the threshold", async () => {
  const sae = await open(CONFIG);
  // c = sqrt(4) / 8: biases are four times what is stored.
  assert.deepEqual([...sae.encoderBias.subarray(0, 7)], [0, 4, 8, 12, 16, 20, 0]);
  assert.deepEqual([...sae.decoder?.bias ?? []], [0, 4, 8, 12]);
  assert.ok(sae.inputBias.every((value) => value === 0));
  const norms = Float32Array.of(1e-8, 5, 1e-8, 1e-8, 1e-8, 1);
  assert.deepEqual(sae.latentScale, norms);
  assert.deepEqual([...await sae.decoder?.rows([1, 0]) ?? []], [3, 4, 0, 0, 0, 0, 0, 0].map(unit));
  assert.deepEqual(sae.activation, {
    kind: "threshold",
    thresholds: new Float32Array(6).fill(0.5),
  });

  function unit(value: number): number {
    return Math.fround(value * (1 / 5));
  }
});

Deno.test("Llama Scope: norms of every kind", async () => {
  const none = await open({ ...CONFIG, norm_activation: "none" });
  assert.deepEqual([none.normalisation, none.encoderBias[1]], ["none", 1]);
  const tokens = await open({ ...CONFIG, norm_activation: "token-wise" });
  assert.deepEqual([tokens.normalisation, tokens.encoderBias[1]], ["constant_norm_rescale", 1]);
  const unbiased = { ...CONFIG, use_decoder_bias: false, sparsity_include_decoder_norm: false };
  const sae = await open(unbiased, { "decoder.bias": undefined });
  assert.equal(sae.latentScale, undefined);
  assert.deepEqual([...sae.decoder?.bias ?? []], [0, 0, 0, 0]);
});

Deno.test("Llama Scope: topk with a threshold is jumprelu, without one topk", async () => {
  const converted = await open({ ...CONFIG, act_fn: "topk" });
  assert.equal(converted.activation.kind, "threshold");
  const topk = await open({ ...CONFIG, act_fn: "topk", jump_relu_threshold: 0 });
  assert.deepEqual(topk.activation, { kind: "topk", k: 2 });
  const relu = await open({ ...CONFIG, act_fn: "relu" });
  assert.deepEqual(relu.activation, { kind: "threshold", thresholds: new Float32Array(6) });
});

Deno.test("Llama Scope: without d_sae the expansion factor says it", async () => {
  const sae = await open({ ...CONFIG, d_sae: undefined, expansion_factor: 1.5 });
  assert.equal(sae.latents, 6);
});

Deno.test("Llama Scope: what is malformed or not supported is said in one sentence", async () => {
  const cases: [object, RegExp][] = [
    [{ d_model: undefined }, /L5M\/hyperparams\.json: field "d_model"/],
    [{ d_sae: undefined }, /field "d_sae" is missing/],
    [{ d_sae: 7 }, /final\.safetensors: "encoder\.weight" has shape \[6,4\], but \[7,4\]/],
    [{ hook_point_in: "blocks.5.ln2.hook_normalized" }, /transcoders are not supported/],
    [{ use_glu_encoder: true }, /use_glu_encoder is not supported/],
    [{ act_fn: "gelu" }, /act_fn "gelu" is not supported/],
    [{ act_fn: "topk", jump_relu_threshold: 0, top_k: 7 }, /top_k is 7, expected 1 to 6/],
    [{ act_fn: "topk", jump_relu_threshold: 0, top_k: null }, /top_k is missing/],
    [{ jump_relu_threshold: -0.5 }, /field "jump_relu_threshold"/],
    [{ jump_relu_threshold: NaN }, /field "jump_relu_threshold"/],
    [{ norm_activation: "batch-wise" }, /norm_activation "batch-wise" is not supported/],
    [{ dataset_average_activation_norm: null }, /dataset_average_activation_norm is missing/],
    [{ dataset_average_activation_norm: { in: 0, out: 1 } }, /average_activation_norm\.in/],
  ];
  for (const [change, message] of cases) {
    await refuses(() => open({ ...CONFIG, ...change }), message);
  }
  const upsideDown = { "decoder.weight": f32([6, 4]) };
  await refuses(() => open(CONFIG, upsideDown), /"decoder\.weight" has shape \[6,4\], but \[4,6\]/);
});

Deno.test("Llama Scope: hostile configs are opened or refused, never more", async () => {
  const full = { ...CONFIG, expansion_factor: 1.5 };
  await survivesHostileFields(full, open);
  await survivesHostileFields(full, (config) => llamaScopeHookpoint(config, "L5M"));
});

Deno.test("Llama Scope: the hookpoint is what the SAE reads", async () => {
  assert.equal(llamaScopeHookpoint(CONFIG, "L5M"), "layers.5.mlp");
  const attention = { ...CONFIG, hook_point_in: "blocks.5.hook_attn_out", hook_point_out: null };
  await refuses(() => llamaScopeHookpoint(attention, "L5A"), /^L5A\/hyperparams\.json: SAEs of/);
});
