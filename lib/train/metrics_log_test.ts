import assert from "node:assert/strict";
import { join } from "node:path";
import { refuses } from "../../tests/support/refusals.ts";
import { withFolder } from "../../tests/support/run.ts";
import { readTable } from "../data/tables.ts";
import { MetricsLog, stepLine } from "./metrics_log.ts";

const STEP = {
  step: 3,
  tokens: 60,
  k: 5,
  coders: [
    { fvu: 0.5, auxk: 0.25, multiTopk: 0.75, dead: 3, rate: 0.01 },
    undefined,
  ],
};
const OPTIONS = { names: ["layers.0", "layers.1"], latents: [12, 12], divisor: 1 };

Deno.test("a line has wandb's names, and what the coders have", () => {
  assert.deepEqual(stepLine(STEP, { ...OPTIONS, auxk: false, multiTopk: false }), {
    step: 3,
    tokens: 60,
    k: 5,
    "fvu/layers.0": 0.5,
    "dead_pct/layers.0": 0.25,
    "lr/layers.0": 0.01,
  });
  const paper = stepLine(STEP, { ...OPTIONS, divisor: 2, auxk: true, multiTopk: true });
  assert.deepEqual(
    [paper["fvu/layers.0"], paper["auxk/layers.0"], paper["multi_topk_fvu/layers.0"]],
    [0.25, 0.125, 0.375],
  );
});

Deno.test("what was written after the checkpoint goes", () =>
  withFolder(async (folder) => {
    const lines = [1, 2, 3].map((step) => ({ step, tokens: 20 * step, "fvu/a": 1 / step }));
    let bytes;
    {
      using log = await MetricsLog.open(folder, 0);
      await log.append(lines.slice(0, 2));
      bytes = log.bytes;
      await log.append(lines);
    }
    using log = await MetricsLog.open(folder, bytes);
    await log.append([lines[2], { step: 3, tokens: 60, "held_out_fvu/a": 0.125 }]);
    const text = await Deno.readTextFile(join(folder, "metrics.jsonl"));
    assert.deepEqual(text.trimEnd().split("\n").map((line) => JSON.parse(line).step), [1, 2, 3, 3]);
    assert.equal(log.bytes, text.length);
    await log.writeTable(["a"]);
    const table = await readTable(join(folder, "metrics.parquet"));
    assert.deepEqual(table.fvu, [1, 1 / 2, 1 / 3, null]);
    assert.deepEqual(table.held_out_fvu, [null, null, null, 0.125]);
    assert.deepEqual(table.coder, ["a", "a", "a", "a"]);
    await refuses(() => MetricsLog.open(folder, 10_000), /put it back/);
  }));
