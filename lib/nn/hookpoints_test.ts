import assert from "node:assert/strict";
import { InputError } from "../formats/input_error.ts";
import { comesBefore, resolveHookpoints } from "./hookpoints.ts";

const names = (patterns: string[], layers = 16) =>
  resolveHookpoints(patterns, layers).map(({ name }) => name);

Deno.test("hookpoints: names with and without model. in front", () => {
  assert.deepEqual(names(["model.layers.3.mlp", "layers.2.mlp.act_fn", "layers.1"]), [
    "layers.1",
    "layers.2.mlp.act_fn",
    "layers.3.mlp",
  ]);
});

Deno.test("hookpoints: braces and globs, without repetitions, in the order of the pass", () => {
  assert.deepEqual(names(["layers.{0..2}.mlp", "model.layers.{2,1}.mlp"]), [
    "layers.0.mlp",
    "layers.1.mlp",
    "layers.2.mlp",
  ]);
  assert.equal(names(["layers.[0-9].mlp", "layers.1[0-5].mlp"]).length, 16);
  assert.deepEqual(names(["layers.*"], 2), ["layers.0", "layers.1"]);
  assert.deepEqual(names(["layers.*.mlp*"], 2), ["layers.0.mlp", "layers.1.mlp"]);
});

Deno.test("hookpoints: a pattern that matches nothing is named", () => {
  for (const pattern of ["layers.16.mlp", "layers.3.attn", "mlp", "", "__proto__"]) {
    assert.throws(() => names([pattern]), (error: Error) => {
      assert.ok(error instanceof InputError);
      assert.ok(error.message.includes(`"${pattern}"`) && error.message.includes("0 to 15"));
      return true;
    });
  }
});

Deno.test("hookpoints: neurons come before the MLP, the MLP before the residual stream", () => {
  const [neurons, mlp, residual] = resolveHookpoints(
    ["layers.1", "layers.1.mlp", "layers.1.mlp.act_fn"],
    2,
  );
  assert.ok(comesBefore(neurons, mlp) && comesBefore(mlp, residual) && !comesBefore(mlp, neurons));
});
