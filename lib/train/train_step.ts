/** train-sae: a model and data → trained coders in a folder (spec train-and-interpret A.6). */
import { join } from "node:path";
import { print, remark } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { Interrupted, onInterrupt } from "../cli/run.ts";
import { table } from "../cli/table.ts";
import { claimFolder } from "../data/folder_claim.ts";
import { codeHash, timesSince, versions, writeManifest } from "../data/manifest.ts";
import { InputError } from "../formats/input_error.ts";
import { WeightStore } from "../gpu/weight_store.ts";
import { strideOf } from "../gpu/rows.ts";
import { Llama } from "../nn/llama.ts";
import { openGpu, profileTable } from "../session/session.ts";
import { openModel } from "../subject/open_model.ts";
import type { CoderPlan } from "./coder_training.ts";
import { namedAccess } from "../subject/named_access.ts";
import { excludedTokens } from "./excluded_tokens.ts";
import { MetricsLog } from "./metrics_log.ts";
import { openCoders } from "./open_coders.ts";
import { openTrainingData, type TrainingData } from "./open_training_data.ts";
import type { TrainOptions } from "./options.ts";
import { runConfig } from "./run_config.ts";
import { RunFiles, type TrainingState } from "./run_files.ts";
import { Trainer } from "./trainer.ts";
import { checkSameTraining, trainingIdentity } from "./training_identity.ts";
import { checkBatchTokens, checkSupported, planCoders } from "./training_plan.ts";
import { TrainingRun } from "./training_run.ts";

/** Code that decides what is trained. */
const ROOMS = ["kernels", "lib/gpu", "lib/nn", "lib/train", "lib/stats"];

/**
 * Trains, from the start or from a checkpoint, writes run.json, and prints a table.
 *
 * @throws InputError for options, data or a model that cannot be used
 * @throws Interrupted at Ctrl-C, once all is saved
 */
export async function runTrainSae(options: TrainOptions): Promise<void> {
  const started = new Date();
  checkSupported(options);
  using owned = new DisposableStack();
  const access = namedAccess(options);
  const model = owned.use(await openModel(modelName(options), access));
  const { config, tokenizer, hashes, name } = model;
  const tokenizing = { name, tokenizer, vocabularySize: config.vocabularySize, hashes };
  const plans = planCoders(options, config);
  const excluded = excludedTokens(options.excludeTokens, tokenizer);
  const data = owned.use(await openTrainingData(options, tokenizing, access));
  const folder = join(options.saveDir, options.runName);
  owned.use(await claimFolder(folder));
  const files = new RunFiles(folder, options);
  const identity = trainingIdentity(options, hashes, plans, data);
  const state = await checkpointOf(files, plans, identity, options.resume ?? false);
  await writeManifest(join(folder, "config.json"), runConfig({ ...options, model: name }));

  const { gpu, adapter } = await openGpu(options, { columns: config.hiddenSize }, owned);
  const store = owned.use(new WeightStore(gpu));
  const llama = owned.use(new Llama(gpu, config, model.tensors, name, store));
  const { contextLength, count } = data.training;
  const widest = Math.max(...plans.map(({ shape }) => strideOf(shape.inputSize)));
  const fits = Math.floor(gpu.limits.maxStorageBufferBindingSize / (4 * widest));
  checkBatchTokens(options, contextLength, Math.min(llama.mostTokens, fits));
  const batchTokens = options.batchSize * contextLength;
  const coders = await openCoders(gpu, plans, options, batchTokens, count, owned);
  const trainer = owned.use(
    new Trainer(gpu, llama, coders, {
      batchTokens,
      excluded,
      gradAccSteps: options.gradAccSteps,
      microAccSteps: options.microAccSteps,
      kDecaySteps: options.kDecaySteps,
      biasStart: options.finetune === undefined,
      compat: options.compat,
    }),
  );
  const log = owned.use(await MetricsLog.open(folder, state?.metrics_bytes ?? 0));
  const names = plans.map(({ name }) => name);
  const run = new TrainingRun(
    { trainer, files, log, data },
    metricsOptions(options, plans),
    identity,
    {
      gradAccSteps: options.gradAccSteps,
      saveEvery: options.saveEvery,
      saveBest: options.saveBest ?? false,
      logEvery: options.wandbLogFrequency,
      compat: options.compat,
    },
  );
  if (run.steps === 0) throw tooLittle(options, data);
  if (state) await run.restore(state);
  remark(
    `${names.length} ${names.length === 1 ? "coder" : "coders"} of ${
      plans[0].shape.latents.toLocaleString("en")
    } latents, ${run.steps.toLocaleString("en")} steps of ${
      (batchTokens * options.gradAccSteps).toLocaleString("en")
    } tokens, ${mebibytes(gpu.memory.live)} on the GPU so far${
      state ? `; going on after step ${state.steps.toLocaleString("en")}` : ""
    }.`,
  );
  await watched(run, trainer, batchTokens * options.gradAccSteps, folder);
  await log.writeTable(names);
  const { position } = trainer;
  const { hfToken: _secret, shares, ...said } = options;
  await writeManifest(join(folder, "run.json"), {
    step: "train-sae",
    options: { ...said, ...shares && { shares: Object.fromEntries(shares) } },
    model: { name, sha256: hashes },
    data: provenanceOf(data),
    coders: names,
    result: {
      steps: position.steps,
      tokens: position.tokens,
      held_out_fvu: run.heldOutFvu,
      resumed_after_step: state?.steps ?? null,
    },
    adapter,
    gpu_peak_bytes: gpu.memory.peak,
    code: { sha256: await codeHash(ROOMS) },
    versions: versions(),
    ...timesSince(started),
  });
  print(summary(plans, run));
  print(`\n${position.steps.toLocaleString("en")} steps; the coders are in ${folder}`);
  print(`"babelscope report --out-dir ${folder}" shows how it went`);
  if (options.profile) print(profileTable(gpu) ?? "");
}

/** Trains with progress on the terminal, and in a way that Ctrl-C may end. */
async function watched(
  run: TrainingRun,
  trainer: Trainer,
  stepTokens: number,
  folder: string,
): Promise<void> {
  const begun = trainer.position.steps;
  let stopping = false;
  using _interrupt = onInterrupt(() => {
    stopping = true;
    remark("\nStopping after this step, with a checkpoint; Ctrl-C again stops at once, without.");
  });
  const total = (run.steps - begun) * stepTokens;
  const display = progress({ label: "training", total, unit: "tokens" });
  try {
    await run.run({
      show({ steps }, { step, coders }) {
        const known = coders.filter((metrics) => metrics !== undefined);
        const mean = (part: "fvu" | "dead") =>
          known.reduce((sum, metrics) => sum + metrics[part], 0) / known.length;
        const dead = trainer.coders.reduce((sum, { plan }) => sum + plan.shape.latents, 0) /
          trainer.coders.length;
        const fvu = known.length > 0 ? `FVU ${mean("fvu").toFixed(4)}` : "no tokens";
        const share = known.length > 0 ? `, ${(100 * mean("dead") / dead).toFixed(1)} % dead` : "";
        display.update(
          (steps - begun) * stepTokens,
          `step ${step} of ${run.steps}: ${fvu}${share}`,
        );
      },
      get stopping() {
        return stopping;
      },
    });
  } finally {
    display.done();
  }
  const { steps } = trainer.position;
  if (stopping && steps < run.steps) {
    throw new Interrupted(
      `Saved after step ${steps} of ${run.steps} in ${folder}; run the same command with --resume to go on.`,
    );
  }
}

/** The checkpoint to go on from; refuses to overwrite one. */
async function checkpointOf(
  files: RunFiles,
  plans: readonly CoderPlan[],
  identity: Readonly<Record<string, string>>,
  resume: boolean,
): Promise<TrainingState | undefined> {
  const state = await files.open(plans);
  if (!resume) {
    if (!state) return undefined;
    throw new InputError(
      `${files.folder} holds a training after step ${state.steps}; go on with it by --resume, or train ` +
        `under another --run-name.`,
    );
  }
  if (!state) {
    throw new InputError(
      `There is no training in ${files.folder} to go on with; leave out --resume to begin one.`,
    );
  }
  checkSameTraining(state.identity, identity, files.folder);
  return state;
}

function modelName({ model, revision }: TrainOptions): string | undefined {
  if (revision === undefined) return model;
  if (model !== undefined && !model.includes("@")) return `${model}@${revision}`;
  throw new InputError(
    `--revision ${revision} is of a model on the hub; name one, as owner/name, without an @ of its own.`,
  );
}

function metricsOptions(options: TrainOptions, plans: readonly CoderPlan[]) {
  const { auxkAlpha, multiTopk, compat, microAccSteps, wandbLogFrequency } = options;
  return {
    names: plans.map(({ name }) => name),
    latents: plans.map(({ shape }) => shape.latents),
    auxk: auxkAlpha > 0,
    multiTopk: multiTopk ?? false,
    divisor: compat === "paper" ? microAccSteps * wandbLogFrequency : 1,
  };
}

function tooLittle(
  { batchSize, gradAccSteps }: TrainOptions,
  { training }: TrainingData,
): InputError {
  return new InputError(
    `${training.rows} rows are less than one step of ${batchSize} × ${gradAccSteps}; lower ` +
      `--batch-size, or name more data.`,
  );
}

function provenanceOf({ training, heldOut }: TrainingData) {
  return {
    sha256: training.sha256,
    rows: training.rows,
    context_length: training.contextLength,
    held_out: heldOut ? { sha256: heldOut.sha256, rows: heldOut.rows } : null,
  };
}

function summary(plans: readonly CoderPlan[], run: TrainingRun): string {
  const columns = ["coder", "FVU of the last step", "held-out FVU", "dead latents"];
  return table(
    columns.map((header, i) => ({ header, align: i === 0 ? "left" : "right" })),
    plans.map(({ name, shape }, i) => {
      const last = run.latest?.coders[i];
      const heldOut = run.heldOutFvu[name];
      return [
        name,
        last ? last.fvu.toFixed(4) : "",
        heldOut === undefined ? "" : heldOut.toFixed(4),
        last ? `${last.dead} of ${shape.latents}` : "",
      ];
    }),
  );
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20).toLocaleString("en")} MiB`;
}
