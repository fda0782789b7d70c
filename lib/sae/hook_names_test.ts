import assert from "node:assert/strict";
import { InputError } from "../formats/input_error.ts";
import { hookpointOfHookName } from "./hook_names.ts";

Deno.test("hook names of TransformerLens and Hugging Face become hookpoints", () => {
  const hookpoints: Record<string, string> = {
    "blocks.12.hook_mlp_out": "layers.12.mlp",
    "blocks.0.hook_resid_post": "layers.0",
    "blocks.1.hook_resid_pre": "layers.0",
    "blocks.010.hook_resid_pre": "layers.9",
    "model.layers.3.mlp": "layers.3.mlp",
    "layers.3.mlp": "layers.3.mlp",
    "model.layers.31": "layers.31",
    "layers.7": "layers.7",
  };
  for (const [name, hookpoint] of Object.entries(hookpoints)) {
    assert.equal(hookpointOfHookName(name, "cfg.json"), hookpoint);
  }
});

Deno.test("hook names that mean no hookpoint are refused by name", () => {
  const refused = [
    "blocks.0.hook_resid_pre",
    "blocks.00.hook_resid_pre",
    "blocks.3.attn.hook_z",
    "blocks.3.hook_attn_out",
    "blocks.3.mlp.hook_post",
    "blocks.-1.hook_mlp_out",
    "blocks.99999999999999999999.hook_mlp_out",
    "blocks.1.hook_mlp_out\n",
    "layers.3.mlp.act_fn",
    "model.embed_tokens",
    "__proto__",
    "",
  ];
  for (const name of refused) {
    assert.throws(() => hookpointOfHookName(name, "x/cfg.json"), (error: Error) => {
      assert.ok(error instanceof InputError);
      assert.ok(error.message.startsWith(`x/cfg.json: SAEs of ${JSON.stringify(name)} are not`));
      return true;
    });
  }
});
