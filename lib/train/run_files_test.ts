import assert from "node:assert/strict";
import { join } from "node:path";
import { filesUnder } from "../../tests/support/folders.ts";
import { refuses } from "../../tests/support/refusals.ts";
import { withFolder } from "../../tests/support/run.ts";
import { resolveHookpoints } from "../nn/hookpoints.ts";
import type { CoderPlan } from "./coder_training.ts";
import { RunFiles, type TrainingState } from "./run_files.ts";

const SHAPE = {
  inputSize: 4,
  latents: 8,
  k: 2,
  activation: "topk",
  transcode: false,
  skipConnection: false,
  normalizeDecoder: true,
  multiTopk: false,
  auxkAlpha: 0,
} as const;
const CODERS: CoderPlan[] = resolveHookpoints(["layers.{0,1}.mlp"], 2).map((hookpoint) => ({
  name: hookpoint.name,
  hookpoint,
  seed: 0,
  shape: SHAPE,
}));
const WIDTH = { expansionFactor: 2, numLatents: 0 };

function stateAt(steps: number): TrainingState {
  return {
    identity: {},
    steps,
    micro_batches: steps,
    tokens: steps,
    k: 3,
    best_fvu: {},
    held_out_fvu: {},
    metrics_bytes: 0,
    optimizers: Object.fromEntries(CODERS.map(({ name }) => [name, { steps }])),
  };
}

/** Writes the files of a checkpoint, as text, without making it count. */
async function write(files: RunFiles, step: number): Promise<void> {
  for (const coder of CODERS) {
    await Deno.mkdir(join(files.folder, coder.name), { recursive: true });
    for (const file of ["sae", "training"] as const) {
      await Deno.writeTextFile(files.pathAt(coder, file, step), `${file} ${step}`);
    }
  }
}

async function contents(files: RunFiles): Promise<string[]> {
  const paths = CODERS.flatMap((coder) => [
    files.path(coder, "sae"),
    files.path(coder, "training"),
  ]);
  return await Promise.all(paths.map((path) => Deno.readTextFile(path)));
}

const SETTLED = [
  ...CODERS.flatMap(({ name }) => [
    `${name}/cfg.json`,
    `${name}/sae.safetensors`,
    `${name}/training.safetensors`,
  ]),
  "training.json",
];

Deno.test("wherever the program stops, the last whole checkpoint is found", () =>
  withFolder(async (folder) => {
    const files = new RunFiles(folder, WIDTH);
    assert.equal(await files.open(CODERS), undefined);
    await write(files, 5);
    assert.equal(await files.open(CODERS), undefined, "nothing counts yet");
    await files.commit(CODERS, stateAt(5));
    assert.deepEqual(await filesUnder(folder), SETTLED);
    const old = ["sae 5", "training 5", "sae 5", "training 5"];
    assert.deepEqual(await contents(files), old);
    const config = JSON.parse(await Deno.readTextFile(join(folder, "layers.1.mlp/cfg.json")));
    assert.deepEqual([config.k, config.d_in, config.expansion_factor], [3, 4, 2]);

    // Stopped while the next one was written.
    await write(files, 9);
    await Deno.writeTextFile(join(folder, "layers.0.mlp/sae.9.safetensors.x.part"), "half");
    assert.equal((await files.open(CODERS))?.steps, 5);
    assert.deepEqual(await contents(files), old);
    assert.deepEqual(await filesUnder(folder), SETTLED);

    // Stopped when it counted, but had not got all of its names.
    await write(files, 9);
    const text = JSON.stringify({ format: "babelscope training 1", ...stateAt(9) });
    await Deno.writeTextFile(join(folder, "training.json"), text);
    await Deno.rename(files.pathAt(CODERS[0], "sae", 9), files.path(CODERS[0], "sae"));
    assert.deepEqual(await files.open(CODERS), stateAt(9));
    assert.deepEqual(await contents(files), ["sae 9", "training 9", "sae 9", "training 9"]);
    assert.deepEqual(await filesUnder(folder), SETTLED);
  }));

Deno.test("the best coders are kept beside; as published, their hookpoint's name is doubled", () =>
  withFolder(async (folder) => {
    const files = new RunFiles(folder, WIDTH);
    await write(files, 5);
    await files.keepBest(CODERS[0], 5, 3);
    await files.keepBest(CODERS[1], 5, 3, "paper");
    const best = (await filesUnder(folder)).filter((path) => path.startsWith("best"));
    assert.deepEqual(best, [
      "best/layers.0.mlp/cfg.json",
      "best/layers.0.mlp/sae.safetensors",
      "best/layers.1.mlp/layers.1.mlp/cfg.json",
      "best/layers.1.mlp/layers.1.mlp/sae.safetensors",
    ]);
    assert.equal(
      await Deno.readTextFile(join(folder, "best/layers.0.mlp/sae.safetensors")),
      "sae 5",
    );
  }));

Deno.test("another file in the place of the state is refused", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "training.json"), '{"format":"another","steps":3}');
    await refuses(() => new RunFiles(folder, WIDTH).open(CODERS), /no state of a training/);
  }));
