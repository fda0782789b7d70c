/** check-active: the features of languages that fire in some texts (spec section 10). */
import { join, resolve } from "node:path";
import { step } from "../cli/step.ts";
import { integer, oneOf } from "../cli/values.ts";
import { isFile } from "../data/file_tree.ts";
import { readText, writeAtomic } from "../data/files.ts";
import { claimFolder } from "../data/folder_claim.ts";
import { codeHash, timesSince, writeManifest } from "../data/manifest.ts";
import { readUdhr } from "../data/udhr.ts";
import { InputError } from "../formats/input_error.ts";
import { identifiedFeatures, LAPE_RESULT_PATH } from "../identify/lape_result.ts";
import { readActivations, type SparseActivations } from "../interpret/activations.ts";
import { wholePiece } from "../interpret/samples.ts";
import { withModelOptions, withRunOptions } from "../session/options.ts";
import { openSession, profileTable, runModel, sessionProvenance } from "../session/session.ts";
import type { Subject } from "../subject/subject.ts";
import { activeFeatures, withSharedTokens } from "./active_features.ts";
import type { CheckedText, FeatureNames } from "./active_listing.ts";
import { SCORING_ROOMS } from "./classify.ts";
import { type FeatureClassifier, featureClassifier, wantedUnits } from "./feature_classifier.ts";
import { type Identifier, identifierScores, openIdentifier } from "./identifiers.ts";
import { predict } from "./prediction.ts";
import { featureScores } from "./scores.ts";

/** Languages whose first sentence of article 1 is looked at when no text is given. */
const DEFAULT_LANGUAGES = ["en", "de", "ru", "hi", "zh"];

/** Languages whose scores are told. */
const TOLD = 3;

/** The command of the step, with all its options. */
export function checkActiveCommand() {
  return withRunOptions(withModelOptions(step(
    "check-active",
    "Show which languages' features fire in given texts, and on which tokens.",
    'babelscope check-active --text "Alle Menschen sind frei" "All human beings are free"',
  )))
    .option(
      "--text <texts...>",
      `texts to look at (default: how article 1 of the UDHR begins in ${
        DEFAULT_LANGUAGES.join(", ")
      })`,
    )
    .option(
      "--classifier-type <type>",
      "what predicts the language: count, min-max, or the language identifier fasttext",
      oneOf("min-max", "count", "fasttext"),
      "min-max",
    )
    .option(...LAPE_RESULT_PATH)
    .option(
      "--interpretation-folder <folder>",
      "explanations of features, in files such as layers.5.mlp_latent1948.txt",
      "interpret_sae_features/explanations",
    )
    .option("--top <n>", "features listed per text, strongest first", integer({ min: 1 }), 8);
}

/** What the options of `check-active` are parsed to. */
export type CheckActiveOptions = ReturnType<ReturnType<typeof checkActiveCommand>["opts"]>;

/** What was found in each text, and where it was written. */
export interface CheckedTexts {
  readonly texts: readonly CheckedText[];
  readonly names: FeatureNames;
  readonly folder: string;
  /** GPU time per kernel (`--profile`). */
  readonly profile?: string;
}

/**
 * Does what the options of `check-active` say, and writes `active_features/result.json`.
 *
 * @throws InputError for options or files that cannot be used
 */
export async function checkActive(options: CheckActiveOptions): Promise<CheckedTexts> {
  const started = new Date();
  const folder = resolve(join(options.outDir, "active_features"));
  using _claim = await claimFolder(folder);
  const given = options.text ?? await firstSentences();
  using session = await openSession(options);
  const { subject } = session;
  const features = await identifiedFeatures(options, subject.kind);
  const classifier = featureClassifier(
    features.result,
    subject.targets,
    subject.config.mlpSize,
    features.path,
  );
  const identify = options.classifierType === "fasttext"
    ? await openIdentifier("fasttext")
    : undefined;
  const tokens = given.map((text) => ({ ids: subject.tokenizer.encode(text) }));
  using model = await runModel(session, options);
  const longest = checkedLength(tokens, model.limits.tokens);
  const total = tokens.reduce((sum, { ids }) => sum + ids.length, 0);
  const most = Math.max(longest, Math.min(model.limits.tokens, total));
  const reader = { ...model, limits: { ...model.limits, tokens: most } };
  const reading = { wanted: wantedUnits(classifier), zeros: options.compat === "paper" };
  const texts: CheckedText[] = [];
  for await (const found of readActivations(reader, classifier.targets, tokens, reading)) {
    const { ids } = tokens[found.text];
    const text = given[found.text];
    const scores = scoresOf(text, classifier, found.targets, options.classifierType, identify);
    const active = activeFeatures(classifier, found.targets);
    texts.push({
      text,
      pieces: subject.tokenizer.decodePieces(ids),
      prediction: classifier.languages[predict(scores).language],
      scores: bestOf(scores, classifier.languages),
      active: options.compat === "paper" ? withSharedTokens(active) : active,
    });
  }
  const pieces = texts.map((text, i) => written(text, tokens[i].ids, subject, options));
  const result = await resultJson(texts, pieces, classifier, options.interpretationFolder);
  await writeAtomic(join(folder, "result.json"), `${asciiJson(result)}\n`);
  await writeManifest(join(folder, "run.json"), {
    step: "check-active",
    options,
    ...sessionProvenance(session),
    adapter: model.adapter,
    features: { path: features.path, sha256: features.sha256 },
    code: { sha256: await codeHash(SCORING_ROOMS) },
    ...timesSince(started),
  });
  const layers = classifier.targets.map(({ hookpoint }) => hookpoint.layer);
  const names = { layers, languages: classifier.languages };
  return { texts, names, folder, profile: profileTable(model.gpu) };
}

async function firstSentences(): Promise<string[]> {
  return await Promise.all(DEFAULT_LANGUAGES.map(async (lang) => {
    const article = (await readUdhr(lang)).find(({ article }) => article === 1)!;
    const sentences = new Intl.Segmenter(lang, { granularity: "sentence" });
    const [first] = sentences.segment(article.text.normalize("NFC"));
    return first.segment.trim();
  }));
}

function checkedLength(texts: readonly { readonly ids: Uint32Array }[], most: number): number {
  const long = texts.findIndex(({ ids }) => ids.length > most);
  if (long < 0) return texts.reduce((longest, { ids }) => Math.max(longest, ids.length), 0);
  throw new InputError(
    `--text: text ${long + 1} has ${texts[long].ids.length} tokens, but a batch holds ${most}: ` +
      `raise --block-tokens or shorten the text.`,
  );
}

function scoresOf(
  text: string,
  { languages, layers }: FeatureClassifier,
  activations: readonly SparseActivations[],
  type: CheckActiveOptions["classifierType"],
  identify: Identifier | undefined,
): number[] {
  if (identify) return identifierScores(identify(text), languages);
  const { count, minMax } = featureScores(languages.length, layers, activations);
  return type === "count" ? count : minMax;
}

function bestOf(scores: readonly number[], languages: readonly string[]): CheckedText["scores"] {
  return scores.map((score, g) => [languages[g], score] as const)
    .sort(([, a], [, b]) => b - a)
    .slice(0, TOLD);
}

/** Tokens as they are written: of a split character, the whole; as published, what is its own. */
function written(
  { pieces }: CheckedText,
  ids: Uint32Array,
  { tokenizer }: Subject,
  { compat }: CheckActiveOptions,
): string[] {
  return pieces.map((_, at) =>
    compat === "paper" ? tokenizer.decode([ids[at]]) : wholePiece(pieces, at)
  );
}

/** layer → language → feature → what it means and the tokens it fires on. */
type FeatureTree = Record<
  string,
  Record<string, Record<string, { readonly interpretation: string; readonly tokens: string[] }>>
>;

/** result.json as the original has it. */
async function resultJson(
  texts: readonly CheckedText[],
  pieces: readonly string[][],
  { targets, languages }: FeatureClassifier,
  explanations: string,
) {
  const result = [];
  for (const [i, { text, prediction, active }] of texts.entries()) {
    const features: FeatureTree = {};
    for (const { target, index, language, firings } of active) {
      const { name } = targets[target].hookpoint;
      const layer = features[name] ??= {};
      const own = layer[languages[language]] ??= {};
      own[index] = {
        interpretation: await explanation(join(explanations, `${name}_latent${index}.txt`)),
        tokens: firings.map(({ token }) => pieces[i][token]),
      };
    }
    result.push({ sentences: text, predictions: prediction, features });
  }
  return result;
}

async function explanation(path: string): Promise<string> {
  return await isFile(path) ? await readText(path) : "";
}

/** Indented JSON whose other characters than ASCII are escaped, as Python writes it. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value, null, 4).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
