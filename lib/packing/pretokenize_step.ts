/** pretokenize: texts → shards of token ids, ready to train on (spec train-and-interpret A.7). */
import { join } from "node:path";
import { print, remark } from "../cli/output.ts";
import { NORMAL_FORMS } from "../data/corpus_files.ts";
import { timesSince, versions, writeManifest } from "../data/manifest.ts";
import { InputError } from "../formats/input_error.ts";
import { ALL_LANGUAGES } from "../session/options.ts";
import { openModelTokenizer } from "../subject/open_tokenizer.ts";
import { namedAccess } from "../subject/named_access.ts";
import { shardName } from "./open_rows.ts";
import { pretokenise, type Pretokenised } from "./pretokenise.ts";
import { openTokenSource } from "./token_source.ts";

const MILLISECONDS_BETWEEN_LINES = 5000;

/** What the step's options are parsed to. */
export interface PretokenizeOptions {
  readonly model?: string;
  readonly dataset?: string;
  readonly datasetConfigs?: string[];
  readonly subset?: string;
  readonly split: string;
  readonly ctxLen: number;
  readonly textColumn?: string;
  readonly promptTemplate?: string;
  readonly normalForm?: (typeof NORMAL_FORMS)[number];
  readonly batchSize: number;
  readonly dataPreprocessingNumProc: number;
  readonly outputDir: string;
  readonly cacheDir?: string;
  readonly hfToken?: string;
  readonly hfUsername?: string;
  readonly hfDatasetName?: string;
  readonly compat?: "paper";
}

/** @throws InputError for data that cannot be had or made into rows */
export async function runPretokenize(options: PretokenizeOptions): Promise<void> {
  const started = new Date();
  checkNothingIsUploaded(options);
  const access = namedAccess(options);
  const { model: name, outputDir, compat } = options;
  const model = await openModelTokenizer(name, access);
  const source = await openTokenSource({ ...options, ...dataOf(options) }, access);
  const done = await pretokenise(
    source,
    model,
    {
      contextLength: options.ctxLen,
      batchSize: options.batchSize,
      processes: options.dataPreprocessingNumProc,
      mapped: "partitions",
      name: shardName(options),
      compat,
    },
    outputDir,
    tally(),
  );
  const { hfToken: _secret, ...said } = options;
  await writeManifest(join(outputDir, "run.json"), {
    step: "pretokenize",
    options: said,
    model: { name: model.name, sha256: model.hashes },
    result: done,
    versions: versions(),
    ...timesSince(started),
  });
  print(summary(done, outputDir));
}

/** The data that is named, or the corpus that needs no files. */
function dataOf({ dataset, datasetConfigs }: PretokenizeOptions) {
  if (dataset !== undefined || datasetConfigs) return { dataset, datasetConfigs };
  remark(
    "No data is named: tokenising the Universal Declaration, which other steps measure on; do not train on it.",
  );
  return { datasetConfigs: [ALL_LANGUAGES] };
}

function checkNothingIsUploaded({ hfUsername, hfDatasetName }: PretokenizeOptions): void {
  if (hfUsername === undefined && hfDatasetName === undefined) return;
  throw new InputError(
    `--hf-username and --hf-dataset-name would upload the rows, which babelscope never does; leave ` +
      `them out and upload the folder with Hugging Face's own program.`,
  );
}

/** Nobody knows how many texts there are before the last is read. */
function tally(): (done: Pretokenised) => void {
  let shown = Date.now();
  return ({ texts, rows, tokens }) => {
    if (Date.now() - shown < MILLISECONDS_BETWEEN_LINES) return;
    shown = Date.now();
    remark(`pretokenizing: ${of(texts)} texts, ${of(rows)} rows, ${of(tokens)} tokens so far`);
  };
}

function summary(
  { texts, rows, contextLength, tokens, leftOver, dropped }: Pretokenised,
  folder: string,
): string {
  const lost = dropped > 0
    ? ` As published, ${of(dropped)} tokens were dropped.`
    : leftOver > 0
    ? ` ${of(leftOver)} tokens at the end fill no row and are left out.`
    : "";
  return `${of(texts)} texts → ${of(rows)} rows of ${of(contextLength)} tokens (${
    of(tokens)
  }) in ${folder}.${lost}`;
}

function of(count: number): string {
  return count.toLocaleString("en");
}
