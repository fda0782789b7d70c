/** The rows that a training reads, as options name them. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder } from "../cli/cache.ts";
import { remark } from "../cli/output.ts";
import { isLanguage, languageOf } from "../data/languages.ts";
import type { TokenRows } from "../data/token_rows.ts";
import { InputError } from "../formats/input_error.ts";
import type { Access } from "../subject/access.ts";
import type { ModelTokenizer } from "../subject/open_tokenizer.ts";
import type { BatchOptions, TrainingBatches } from "./batches.ts";
import { openTrainingRows, type TrainingDataOptions } from "../packing/open_rows.ts";
import type { Pretokenised } from "../packing/pretokenise.ts";
import { measuredRows, splitRows } from "./held_out.ts";
import type { TrainOptions } from "./options.ts";

/** What is trained on, and what is measured on. */
export interface TrainingData extends Disposable {
  readonly training: TrainingBatches;
  readonly heldOut: TrainingBatches | undefined;
}

const MILLISECONDS_BETWEEN_LINES = 5000;

/**
 * Opens the data. Texts are made into rows first, which stay in the user's cache for the next run.
 *
 * @throws InputError when no data is named, or it cannot be had
 */
export async function openTrainingData(
  options: TrainOptions,
  model: ModelTokenizer,
  access: Access,
): Promise<TrainingData> {
  checkNamed(options);
  using undo = new DisposableStack();
  const rows = undo.use(await openRows(options, model, access));
  const { batchSize, shuffleSeed, maxExamples, heldOut } = options;
  const order: BatchOptions = {
    batchSize,
    shuffleSeed,
    maxExamples,
    shares: namedShares(options),
    vocabularySize: model.vocabularySize,
  };
  const share = options.compat === "paper" ? 0 : shareOf(heldOut);
  const split = splitRows(rows, order, share ?? 0);
  const measured = share === undefined
    ? undo.use(
      await openRows({ ...options, dataset: heldOut, datasetConfigs: undefined }, model, access),
    )
    : undefined;
  const data = measured
    ? { training: split.training, heldOut: measuredRows(measured, order) }
    : split;
  const owned = undo.move();
  return { ...data, [Symbol.dispose]: () => owned[Symbol.dispose]() };
}

function checkNamed({ dataset, datasetConfigs }: TrainOptions): void {
  if (dataset === undefined && datasetConfigs === undefined) {
    throw new InputError(
      "No data is named to train on; give a folder of texts or rows of token ids, such as babelscope " +
        "train-sae --dataset-configs texts:{en,de} for texts/en.txt and texts/de.txt.",
    );
  }
  if (datasetConfigs?.some((spec) => /^udhr(:|$)/.test(spec))) {
    remark(
      "The Universal Declaration is what other steps measure on: what is trained on it cannot be judged by it.",
    );
  }
}

/** The share that is held out; undefined where other data is named. */
function shareOf(heldOut: string): number | undefined {
  const share = Number(heldOut);
  if (heldOut.trim() === "" || Number.isNaN(share)) return undefined;
  if (share >= 0 && share < 1) return share;
  throw new InputError(
    `--held-out ${heldOut} is no share of the rows; give one from 0 to below 1, or a data set.`,
  );
}

function namedShares({ shares }: TrainOptions): ReadonlyMap<string, number> | undefined {
  if (!shares) return undefined;
  const named = [...shares].map(([language, share]) =>
    [isLanguage(language) ? languageOf(language).name : language, share] as const
  );
  return new Map(named);
}

async function openRows(
  options: TrainOptions,
  model: ModelTokenizer,
  access: Access,
): Promise<TokenRows> {
  const { dataset, subset, split, datasetConfigs, textColumn, promptTemplate, compat } = options;
  const data: TrainingDataOptions = {
    dataset,
    subset,
    split,
    datasetConfigs,
    textColumn,
    promptTemplate,
    normalForm: options.normalForm,
    compat,
    contextLength: options.ctxLen,
    processes: options.dataPreprocessingNumProc,
  };
  return await openTrainingRows(data, model, access, rowsFolder(data, model), tally());
}

/** Runs that read the same data share its rows; that they are the same is made sure of there. */
function rowsFolder(data: TrainingDataOptions, { name }: ModelTokenizer): string {
  const key = JSON.stringify([Deno.cwd(), name, data]);
  const hash = createHash("sha256").update(key).digest("hex").slice(0, 16);
  return join(cacheFolder(), "training_rows", hash);
}

function tally(): (done: Pretokenised) => void {
  let shown = Date.now();
  return ({ texts, rows }) => {
    if (Date.now() - shown < MILLISECONDS_BETWEEN_LINES) return;
    shown = Date.now();
    remark(
      `tokenising: ${texts.toLocaleString("en")} texts, ${rows.toLocaleString("en")} rows so far`,
    );
  };
}
