/** interpret: identified features → explanations and what they are worth (spec train-and-interpret B). */
import { join } from "node:path";
import { print, remark } from "../../cli/output.ts";
import { Interrupted, onInterrupt } from "../../cli/run.ts";
import { readJson } from "../../data/files.ts";
import { claimFolder } from "../../data/folder_claim.ts";
import { codeHash, timesSince, writeManifest } from "../../data/manifest.ts";
import { InputError } from "../../formats/input_error.ts";
import { Endpoint } from "../../llm/endpoint.ts";
import { chatPrices, embeddingPrices } from "../../llm/options.ts";
import {
  openSession,
  profileTable,
  runModel,
  type RunningModel,
  type Session,
  sessionProvenance,
} from "../../session/session.ts";
import type { Explainer } from "../explainers/explainer.ts";
import { openExplainer } from "../explainers/open_explainer.ts";
import { type PromptTexts, PUBLISHED_TEXTS, readPromptTexts } from "../prompts/prompt_texts.ts";
import { openScorer, type ScorerOptions } from "../scorers/open_scorer.ts";
import type { ChosenLatent } from "./chosen_latents.ts";
import { expectedExplanation, planExplanations, type PlannedPart, planScores } from "./dry_run.ts";
import { Finished } from "./finished.ts";
import { openJudges } from "./judges.ts";
import type { InterpretOptions } from "./options.ts";
import { prepare, type Prepared } from "./prepared.ts";
import { missing, planTable, summaryTables } from "./printed.ts";
import {
  explainAll,
  latentsInGroups,
  type Questioning,
  scoreAll,
  scoringJobs,
} from "./questioning.ts";
import type { Judges } from "./score_latents.ts";
import { openSelected, type SelectedExamples } from "./selected_examples.ts";
import { resultFolder, stagesOf, withOwnNames } from "./settings.ts";
import { checkSupported } from "./supported.ts";
import { writeFindings } from "./written_results.ts";

/** Code that computes activations. */
const MODEL_ROOMS = ["kernels", "lib/gpu", "lib/nn", "lib/sae", "lib/interpret/latent_cache"];
/** Code that asks, and reads answers. */
const ASKING_ROOMS = ["lib/interpret"];

/** What a run works with. */
interface Run {
  readonly options: InterpretOptions;
  readonly started: Date;
  readonly folder: string;
  readonly session: Session;
  /** Undefined where nobody is asked. */
  readonly endpoint: Endpoint | undefined;
  readonly owned: DisposableStack;
  openModel(): Promise<RunningModel>;
}

/**
 * Does what the options say, and prints what came of it.
 *
 * @param named `[model]` and `[sparse-model]`, where they are given
 * @throws InputError for options, files, a model or an endpoint that cannot be used
 * @throws Interrupted at Ctrl-C, when what was asked is answered
 */
export async function runInterpret(
  given: InterpretOptions,
  named: readonly (string | undefined)[] = [],
): Promise<void> {
  const started = new Date();
  checkSupported(given);
  const options = withOwnNames(given, named);
  const asks = asksSomeone(options);
  if (asks && options.baseUrl === undefined) throw noEndpoint();
  using owned = new DisposableStack();
  const stop = new AbortController();
  const endpoint = asks
    ? owned.use(await Endpoint.open(options, { signal: stop.signal }))
    : undefined;
  const session = owned.use(await openSession(options));
  const folder = resultFolder(options);
  owned.use(await claimFolder(folder));
  let model: Promise<RunningModel> | undefined;
  const openModel = () => model ??= runModel(session, options).then((model) => owned.use(model));
  const run: Run = { options, started, folder, session, endpoint, owned, openModel };

  if (options.overwrite.includes("cache")) await removeFolders(folder, ["latents", "log"]);
  const code = await codeHash(MODEL_ROOMS);
  const prepared = await prepare(options, folder, session, code, openModel, owned);
  const stages = stagesOf(options);
  if (stages.summary) {
    using _interrupt = onInterrupt(() => stop.abort(new Interrupted(INTERRUPTED)));
    await (options.dryRun ? planAll(run, prepared) : askAll(run, prepared));
  } else {
    await writeRun(run, prepared, {});
    print(`${folder} has latents/, log/, run.json`);
  }
  if (options.profile) print(profileTable((await session.openGpu()).gpu) ?? "");
}

function noEndpoint(): InputError {
  return new InputError(
    "No language model is named; name an endpoint with --base-url, such as " +
      "https://openrouter.ai/api/v1 or http://127.0.0.1:8080/v1, and a model with --explainer-model, or " +
      "see with --dry-run what would be asked.",
  );
}

const INTERRUPTED =
  "Interrupted; what was answered is kept, and is not asked again when the same command is run.";

/** Whether options need an endpoint: not those that only plan, only read activations or only sum up. */
function asksSomeone(options: InterpretOptions): boolean {
  if (options.dryRun || !stagesOf(options).asking) return false;
  const scorers = options.scorers.map((name) => openScorer(name, scorerOptions(options)));
  return options.explainer !== "none" || options.nonActivatingSource === "FAISS" ||
    scorers.some(({ asks }) => asks !== "losses");
}

/** Asks, scores, writes and prints. */
async function askAll(run: Run, prepared: Prepared): Promise<void> {
  const { options, folder, session, endpoint, owned, openModel } = run;
  const texts = await promptTexts(options);
  const scorers = options.scorers.map((name) => openScorer(name, scorerOptions(options, texts)));
  const code = await codeHash(ASKING_ROOMS);
  const { asking } = stagesOf(options);
  const judges = await openJudges(options, {
    ...{ endpoint, session, code, openModel },
    scorers: asking ? scorers : [],
  });
  const examples = await openSelected(
    prepared,
    ...[options, folder, session, endpoint && judges.embedder, owned] as const,
  );
  const finished = owned.use(await Finished.open(folder, !asking));
  const questioning: Questioning = {
    ...{ options, folder, judges, finished, load: examples.load },
    explainer: explainerOf(options, texts, examples),
    scorers: scorerOptions(options, texts),
    use: () => endpoint?.use(),
  };
  const explained = await explainAll(examples.selected, questioning);
  const scored = await scoreAll(explained, questioning);
  const { selected } = examples;
  const { summary, failures } = await writeFindings(folder, { selected, explained, scored });
  const { unasked } = failures;
  await writeRun(run, prepared, {
    latents: { identified: selected.identified.length, random: selected.random.length },
    complete: unasked.length === 0,
    use: endpoint?.use() ?? null,
  });

  if (options.verbose) {
    print(summaryTables(summary));
    for (const sentence of missing(failures)) print(sentence);
  }
  print(
    `\n${folder} has explanations/, prompts/, scores/, controls/, explanations.csv, scores.csv, ` +
      "summary.json, failures.json, run.json",
  );
  if (unasked.length > 0) remark(unfinished(judges, unasked.length));
}

function unfinished({ asking: { spent } }: Judges, missing: number): string {
  const parts = missing === 1
    ? "1 explanation or score is"
    : `${missing} explanations or scores are`;
  return `${
    spent?.message ?? "Nobody was asked."
  } ${parts} missing; what is there is kept, and the same ` +
    `command with a larger budget goes on from here.`;
}

/** Writes every prompt and says what they would cost. */
async function planAll(run: Run, prepared: Prepared): Promise<void> {
  const { options, folder, session, owned } = run;
  const texts = await promptTexts(options);
  const examples = await openSelected(prepared, options, folder, session, undefined, owned);
  const latents = latentsInGroups(examples.selected);
  const explainer = explainerOf(options, texts, examples);
  const plan = {
    ...{ folder, load: examples.load },
    chatPrices: chatPrices(options),
    embeddingPrices: embeddingPrices(options),
  };
  await removeFolders(folder, ["dry_run"]);
  const parts: PlannedPart[] = explainer ? await planExplanations(latents, explainer, plan) : [];
  const expected = latents.map((item) =>
    ({ ...item, kind: "explained", text: expectedExplanation(item) }) as const
  );
  for (const job of scoringJobs(expected, options, scorerOptions(options, texts))) {
    parts.push(...await planScores(job.scorables, job.scorer, plan));
  }
  await writeManifest(join(folder, "dry_run", "estimate.json"), { parts });
  await writeRun(run, prepared, { dry_run: true });
  print(planTable(parts));
  print(`\n${join(folder, "dry_run")} has every prompt and estimate.json; nobody was asked.`);
}

function scorerOptions(options: InterpretOptions, texts?: PromptTexts): ScorerOptions {
  const { numExamplesPerScorerPrompt, fuzzType, seed, compat } = options;
  return { examplesPerPrompt: numExamplesPerScorerPrompt, fuzzType, seed, compat, texts };
}

/** Undefined where explanations are there. */
function explainerOf(
  { explainer, explainIn, compat }: InterpretOptions,
  texts: PromptTexts,
  { selected }: SelectedExamples,
): Explainer | undefined {
  if (explainer === "none") return undefined;
  const languages = new Map<string, string>();
  for (const { hookpoint, index, languages: [language] } of selected.identified) {
    languages.set(`${hookpoint} ${index}`, language);
  }
  const languageOf = explainIn === "own"
    ? ({ hookpoint, index }: Pick<ChosenLatent, "hookpoint" | "index">) =>
      languages.get(`${hookpoint} ${index}`)
    : undefined;
  return openExplainer(explainer, { texts, languageOf, compat });
}

/** The published texts, or those of `--prompt-texts`. */
async function promptTexts({ promptTexts: path }: InterpretOptions): Promise<PromptTexts> {
  return path === undefined ? PUBLISHED_TEXTS : readPromptTexts(await readJson(path), path);
}

/** Removes what an earlier run left, so that it is made anew. */
async function removeFolders(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await Deno.remove(join(folder, name), { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

async function writeRun(
  { options, started, folder, session, endpoint }: Run,
  { lape, pass, rows }: Prepared,
  result: Readonly<Record<string, unknown>>,
): Promise<void> {
  await writeManifest(join(folder, "run.json"), {
    step: "interpret",
    // an address may hold a secret; the endpoint's own has none
    options: { ...options, baseUrl: endpoint?.base },
    ...sessionProvenance(session),
    lape: { path: lape.path, sha256: lape.sha256 },
    texts: { rows: pass.rows, tokens: pass.tokens, sha256: rows.sha256 },
    activations: pass.entries,
    ...result,
    adapter: pass.adapter ?? null,
    code: { sha256: await codeHash([...MODEL_ROOMS, ...ASKING_ROOMS, "lib/llm"]) },
    ...timesSince(started),
  });
}
