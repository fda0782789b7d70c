import assert from "node:assert/strict";
import { refuses } from "../../tests/support/refusals.ts";
import { projectPath } from "../../tests/support/tensors.ts";
import { step } from "../cli/step.ts";
import { readJson } from "../data/files.ts";
import { parseLlamaConfig } from "../nn/config.ts";
import { type TrainOptions, withTrainOptions } from "./options.ts";
import { runConfig } from "./run_config.ts";
import { checkBatchTokens, checkSupported, planCoders } from "./training_plan.ts";

/** The options of a command line. */
function parsed(...args: string[]): TrainOptions {
  const command = withTrainOptions(step("train-sae", "", ""));
  command.parse(args, { from: "user" });
  return command.opts();
}

async function embedded() {
  const path = projectPath("assets/demo/model/config.json");
  return parseLlamaConfig(await readJson(path), path);
}

Deno.test("defaults are sparsify's", () => {
  const { sae, ...config } = runConfig(parsed());
  assert.deepEqual(sae, {
    activation: "topk",
    expansion_factor: 32,
    normalize_decoder: true,
    num_latents: 0,
    k: 32,
    multi_topk: false,
    skip_connection: false,
    transcode: false,
  });
  const expected = {
    batch_size: 32,
    grad_acc_steps: 1,
    micro_acc_steps: 1,
    loss_fn: "fvu",
    optimizer: "signum",
    lr_warmup_steps: 1000,
    k_decay_steps: 0,
    auxk_alpha: 0,
    dead_feature_threshold: 10_000_000,
    exclude_tokens: [],
    hookpoints: [],
    init_seeds: [0],
    layers: [],
    layer_stride: 1,
    save_every: 1000,
    save_dir: "checkpoints",
    wandb_log_frequency: 1,
    ctx_len: 2048,
    shuffle_seed: 42,
    split: "train",
  };
  const found = Object.fromEntries(Object.keys(expected).map((name) => [name, config[name]]));
  assert.deepEqual(found, expected);
});

Deno.test("the hub's token is never written", () => {
  const text = JSON.stringify(
    runConfig(parsed("--hf-token", "hf_secret", "--shares", "en=2,de=1")),
  );
  assert.ok(!text.includes("hf_secret"));
  assert.match(text, /"shares":\{"en":2,"de":1\}/);
});

Deno.test("a coder per hookpoint and seed, as wide as its module", async () => {
  const config = await embedded();
  const plain = planCoders(parsed(), config);
  assert.deepEqual(plain.map(({ name }) => name), [0, 1, 2, 3, 4, 5].map((i) => `layers.${i}.mlp`));
  assert.equal(plain[0].shape.latents, 32 * 128);
  const options = parsed(
    ...["--hookpoints", "layers.1.mlp.act_fn", "layers.0", "--init-seeds", "3", "5"],
    ...["--expansion-factor", "2", "--transcode"],
  );
  const plans = planCoders(options, config);
  assert.deepEqual(plans.map(({ name, seed, shape }) => [name, seed, shape.latents]), [
    ["layers.0/seed3", 3, 256],
    ["layers.0/seed5", 5, 256],
    ["layers.1.mlp.act_fn/seed3", 3, 768],
    ["layers.1.mlp.act_fn/seed5", 5, 768],
  ]);
  assert.ok(plans.every(({ shape }) => shape.transcode && !shape.skipConnection));
  const named = planCoders({ ...parsed(), model: "a model" }, config);
  assert.deepEqual(named.map(({ name }) => name), [0, 1, 2, 3, 4, 5].map((i) => `layers.${i}`));
  await refuses(() => planCoders(parsed("--init-seeds", "1", "1"), config), /names a seed twice/);
});

Deno.test("what cannot be done is refused in one sentence", async () => {
  const refusals: [string[], RegExp][] = [
    [["--loss-fn", "kl"], /--loss-fn kl .* come later/],
    [["--distribute-modules"], /one GPU is used/],
    [["--load-in-8bit"], /float32/],
    [["--log-to-wandb"], /metrics\.jsonl/],
    [["--data-args", "name=x"], /--subset/],
    [["--run-name", "a/b"], /--save-dir/],
    [["--activation", "groupmax", "--k-decay-steps", "9"], /groupmax cannot/],
  ];
  for (const [args, message] of refusals) {
    await refuses(() => checkSupported(parsed(...args)), message);
  }
  checkSupported(parsed("--stream-dataset", "--custom-logic"));
});

Deno.test("a batch that does not fit says which would", async () => {
  checkBatchTokens(parsed("--batch-size", "8"), 512, 4096);
  await refuses(
    () => checkBatchTokens(parsed("--batch-size", "9", "--grad-acc-steps", "2"), 512, 4096),
    /9 rows of 512 tokens .* 4096 .* --batch-size 8 --grad-acc-steps 3\.$/,
  );
  await refuses(() => checkBatchTokens(parsed(), 5000, 4096), /--ctx-len/);
});
