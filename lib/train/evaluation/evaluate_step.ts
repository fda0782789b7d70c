/** evaluate-sae: SAEs, a model and texts → how good the SAEs are. */
import { join, resolve } from "node:path";
import { print } from "../../cli/output.ts";
import { progress } from "../../cli/progress.ts";
import type { Corpus } from "../../data/corpora.ts";
import { Checkpoint } from "../../data/checkpoint.ts";
import { isFile } from "../../data/file_tree.ts";
import { claimFolder } from "../../data/folder_claim.ts";
import { codeHash, timesSince, writeManifest } from "../../data/manifest.ts";
import {
  openTokenBin,
  openTokenFolder,
  openTokenTensors,
  TOKEN_INDEX,
  type TokenRows,
} from "../../data/token_rows.ts";
import { InputError } from "../../formats/input_error.ts";
import type { DecodableTarget } from "../../sae/fidelity.ts";
import type { Target } from "../../sae/target.ts";
import {
  corpusProvenance,
  openCorpora,
  openSession,
  profileTable,
  runModel,
  type RunningModel,
  type Session,
  sessionProvenance,
} from "../../session/session.ts";
import { userAccess } from "../../subject/access.ts";
import { excludedTokens } from "../excluded_tokens.ts";
import { evaluate, type EvaluatedLanguage, type Evaluation, meanActivations } from "./evaluate.ts";
import { evaluatedRows, evaluatedTexts } from "./evaluated_texts.ts";
import { figuresTable, fvuTable } from "./evaluation_tables.ts";
import { reported, writeEvaluation } from "./evaluation_files.ts";
import { keepableTokens } from "./kept_logits.ts";
import type { EvaluateOptions } from "./options.ts";

/** Code that decides figures. */
const ROOMS = [
  "kernels",
  "lib/gpu",
  "lib/nn",
  "lib/sae",
  "lib/train",
  "lib/subject",
  "lib/formats",
  "lib/data",
];

/** @throws InputError for a model, SAEs or texts that cannot be used */
export async function runEvaluation(options: EvaluateOptions): Promise<void> {
  const started = new Date();
  using data = await openData(options);
  using session = await openSession(options);
  const targets = session.subject.targets.map(decodable);
  const excluded = excludedTokens(options.excludeTokens ?? [], session.subject.tokenizer);
  const folder = resolve(options.outDir, options.outPath);
  using _claim = await claimFolder(folder);
  using model = await runModel(session, options);
  const languages = await languagesOf(data, options, session, model);
  const code = await codeHash(ROOMS);
  const path = join(folder, "evaluation.jsonl");
  using checkpoint = await Checkpoint.open<Evaluation>(path, {
    ...{ code, adapter: model.adapter, hashes: session.subject.hashes, data: data.provenance },
    excluded: [...excluded],
    windows: options.windows,
    ctxLen: options.ctxLen,
    splice: options.splice,
  });
  const resumed = checkpoint.size;
  const found = await evaluateAll(options, model, targets, languages, excluded, checkpoint);

  const report = targets.map((target, i) => reported(target, languages, found[i]));
  await writeEvaluation(folder, report);
  await writeManifest(join(folder, "run.json"), {
    step: "evaluate-sae",
    options,
    ...sessionProvenance(session),
    data: data.provenance,
    adapter: model.adapter,
    code: { sha256: code },
    parts_resumed: resumed,
    ...timesSince(started),
  });
  await checkpoint.remove();
  print(figuresTable(report));
  if (languages.length > 1) print(`\nFVU by language:\n${fvuTable(report)}`);
  print(`\n${folder} has evaluation.json, evaluation.csv, evaluation.parquet, run.json`);
  if (!options.profile) return;
  await model.gpu.settle();
  print(`\n${profileTable(model.gpu) ?? ""}`);
}

/** Texts or rows of token ids, and what run.json says of them. */
interface Data extends Disposable {
  readonly corpora?: readonly Corpus[];
  readonly rows?: TokenRows;
  readonly provenance: unknown;
}

async function openData(options: EvaluateOptions): Promise<Data> {
  const { tokens, ctxLen } = options;
  if (tokens === undefined) {
    const corpora = await openCorpora(options, options);
    return { corpora, provenance: corpusProvenance(corpora), [Symbol.dispose]: () => {} };
  }
  const rows = await openTokens(tokens, ctxLen);
  const { sha256, contextLength } = rows;
  return {
    rows,
    provenance: { tokens, sha256, context_length: contextLength },
    [Symbol.dispose]: () => rows[Symbol.dispose](),
  };
}

async function openTokens(name: string, contextLength: number): Promise<TokenRows> {
  const { hasher } = userAccess();
  if (name.endsWith(".bin")) return await openTokenBin(name, contextLength, hasher);
  if (name.endsWith(".safetensors")) return await openTokenTensors(name, contextLength, hasher);
  if (await isFile(join(name, TOKEN_INDEX))) return await openTokenFolder(name, hasher);
  throw new InputError(
    `--tokens ${name} holds no token ids, expected a folder that pretokenize wrote, a .safetensors or ` +
      `a .bin file; name texts with --dataset-configs.`,
  );
}

async function languagesOf(
  { corpora = [], rows }: Data,
  { windows }: EvaluateOptions,
  { subject }: Session,
  { limits }: RunningModel,
): Promise<EvaluatedLanguage[]> {
  return rows
    ? await evaluatedRows(rows, windows, subject.config.vocabularySize)
    : evaluatedTexts(subject, corpora, windows, limits.tokens);
}

function decodable({ hookpoint, sae }: Target): DecodableTarget {
  if (!sae) {
    throw new InputError(
      `${hookpoint.name} are neurons, which have no SAE to evaluate: name hookpoints of SAEs, as ` +
        `layers.N.mlp or layers.N.`,
    );
  }
  const { decoder } = sae;
  if (decoder) return { hookpoint, sae: { ...sae, decoder } };
  throw new InputError(
    `${sae.where} holds an encoder alone, but evaluating needs its decoder: give the whole SAE.`,
  );
}

/** Evaluates SAE by SAE; those that an interrupted run has finished are taken over. */
async function evaluateAll(
  { splice }: EvaluateOptions,
  model: RunningModel,
  targets: readonly DecodableTarget[],
  languages: readonly EvaluatedLanguage[],
  excluded: ReadonlySet<number>,
  checkpoint: Checkpoint<Evaluation>,
): Promise<Evaluation[]> {
  const lengths = languages.flatMap(({ texts }) => texts.map(({ ids }) => ids.length));
  const longest = Math.max(0, ...lengths);
  const each = lengths.reduce((sum, length) => sum + length, 0);
  if (each === 0) throw new InputError("There are no texts to evaluate on; name others.");
  // Logits of a whole batch are kept.
  const tokens = Math.min(model.limits.tokens, Math.max(longest, keepableTokens(model.llama)));
  const limited = { ...model, limits: { ...model.limits, tokens } };
  const shown = progress({ label: "evaluating", total: each * targets.length, unit: "tokens" });
  const found: Evaluation[] = [];
  try {
    const hookpoints = targets.map(({ hookpoint }) => hookpoint);
    const means = await meanActivations(limited, hookpoints, languages, excluded);
    for (const [i, target] of targets.entries()) {
      const { name } = target.hookpoint;
      let done = i * each;
      const evaluation = checkpoint.get(name) ??
        await evaluate(limited, target, means[i], languages, { excluded, splice }, (tokens) => {
          shown.update(done += tokens, name);
        });
      if (!checkpoint.get(name)) await checkpoint.put(name, evaluation);
      shown.update((i + 1) * each, name);
      found.push(evaluation);
    }
  } finally {
    shown.done();
  }
  return found;
}
