/** What a training depends on: it only goes on where all of it is the same. */
import { createHash } from "node:crypto";
import { InputError } from "../formats/input_error.ts";
import type { FileHashes } from "../subject/access.ts";
import type { CoderPlan } from "./coder_training.ts";
import type { TrainingBatches } from "./batches.ts";
import type { TrainingData } from "./open_training_data.ts";
import type { TrainOptions } from "./options.ts";

/** Options that decide what is trained; data and model are known by their content. */
const DECIDING = [
  "activation",
  "expansionFactor",
  "numLatents",
  "k",
  "normalizeDecoder",
  "multiTopk",
  "skipConnection",
  "transcode",
  "finetune",
  "batchSize",
  "gradAccSteps",
  "microAccSteps",
  "optimizer",
  "lr",
  "lrWarmupSteps",
  "kDecaySteps",
  "auxkAlpha",
  "deadFeatureThreshold",
  "excludeTokens",
  "compat",
] as const satisfies readonly (keyof TrainOptions)[];

/** Parts that are no options, as messages call them. */
const CONTENT = { model: "another model", data: "other data", held_out: "other held-out data" };

/** What a training depends on, each part as text. */
export function trainingIdentity(
  options: TrainOptions,
  model: FileHashes,
  coders: readonly CoderPlan[],
  { training, heldOut }: TrainingData,
): Record<string, string> {
  const deciding = DECIDING.map((name) =>
    [`--${dashed(name)}`, JSON.stringify(options[name] ?? null)] as const
  );
  return {
    model: sha256(JSON.stringify(model)),
    data: rowsIdentity(training),
    held_out: heldOut ? rowsIdentity(heldOut) : "none",
    "--hookpoints": JSON.stringify(coders.map(({ name }) => name)),
    ...Object.fromEntries(deciding),
  };
}

/**
 * Makes sure that a training goes on as it began.
 *
 * @param folder of the training, for messages
 * @throws InputError that names what is different
 */
export function checkSameTraining(
  began: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
  folder: string,
): void {
  const name = Object.keys(now).find((name) => began[name] !== now[name]);
  if (name === undefined) return;
  const difference = name in CONTENT
    ? `${CONTENT[name as keyof typeof CONTENT]}`
    : `${name} ${began[name]} instead of ${now[name]}`;
  throw new InputError(
    `The training in ${folder} began with ${difference}; go on with the same options, or train anew ` +
      `under another --run-name.`,
  );
}

function rowsIdentity({ sha256: files, contextLength, order }: TrainingBatches): string {
  return sha256(`${JSON.stringify(files)} ${contextLength} ${sha256(order)}`);
}

function sha256(content: string | Uint32Array): string {
  return createHash("sha256").update(content).digest("hex");
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
