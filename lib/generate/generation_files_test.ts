import assert from "node:assert/strict";
import { pythonFloat, textsPath } from "./generation_files.ts";
import { generateCommand } from "./generate_options.ts";
import { groupJobs } from "./generation_jobs.ts";

Deno.test("numbers are written as Python writes them", () => {
  const numbers = [0, 0.2, -1, 1.75, 0.0001, 0.00001, -0.000025, 1e15, 1e16, 1.5e22];
  assert.deepEqual(
    numbers.map(pythonFloat),
    // [repr(float(x)) for x in …] of Python 3
    [
      ...["0.0", "0.2", "-1.0", "1.75", "0.0001", "1e-05", "-2.5e-05"],
      ...["1000000000000000.0", "1e+16", "1.5e+22"],
    ],
  );
});

Deno.test("files have the original's names; controls a folder, neurons a name of their own", () => {
  const job = {
    ...{ code: "th", language: "Thai", strength: 0.2, control: 0, edits: [] },
    layers: [0, 1, 2],
  };
  const options = generateCommand().parse(["--seed", "3", "--max-new-token", "256"], {
    from: "user",
  }).opts();
  const name = "seed_3_mult_0.2_token_256_last_token_False_layer_[0, 1, 2].csv";
  assert.equal(textsPath(job, options), `th/${name}`);
  assert.equal(textsPath({ ...job, control: 2 }, options), `th/control_2/${name}`);
  assert.equal(
    textsPath(
      { ...job, strength: 0, layers: [] },
      { ...options, interventionType: "neuron", lastTokenOnly: true },
    ),
    "th/seed_3_neuron_fixed_0.0_token_256_last_token_True_layer_[].csv",
  );
});

Deno.test("jobs are written together as far as memory allows, at least one at a time", () => {
  assert.deepEqual(groupJobs([1, 2, 3, 4, 5], 3, 7), [[1, 2], [3, 4], [5]]);
  assert.deepEqual(groupJobs([1, 2], 100, 7), [[1], [2]]);
  assert.deepEqual(groupJobs([], 3, 7), []);
});
