/**
 * Score files of another program, summed up (`--log-results`): they say all that averages need, so
 * neither the model nor its activations have to be there (spec train-and-interpret B.8, B.10).
 */
import { join } from "node:path";
import { print } from "../cli/output.ts";
import { isFile, isFolder } from "../data/file_tree.ts";
import { listFolder, readText } from "../data/files.ts";
import { codeHash, timesSince, writeManifest } from "../data/manifest.ts";
import { InputError } from "../formats/input_error.ts";
import { type IdentifiedFeatures, identifiedFeatures } from "../identify/lape_result.ts";
import type { LapeResult } from "../lape/lape_json.ts";
import { allHookpoints, resolveHookpoints } from "../nn/hookpoints.ts";
import { confusionScore } from "../interpret/metrics/confusion_score.ts";
import { readScoredExamples } from "../interpret/scorers/score_file.ts";
import { FINISHED } from "./finished.ts";
import type { InterpretOptions } from "./options.ts";
import { IDENTIFY_TEXTS } from "./prepared.ts";
import { summaryTables } from "./printed.ts";
import {
  explanationPath,
  latentStem,
  readStoredText,
  scorePath,
} from "../interpret/results/result_files.ts";
import { ASKING_ROOMS } from "./run.ts";
import { stagesOf } from "./settings.ts";
import { writeFindings } from "../interpret/results/written_results.ts";
import type { ChosenLatent, Explained, Scored } from "../interpret/results/found.ts";

/** Scorers whose files can be summed up: published programs sum up no others. */
const SUMMED = ["detection", "fuzz"] as const;

/** Whether options only ask for a sum, of results that no run of this program left. */
export async function sumsUpPublished(
  options: InterpretOptions,
  folder: string,
): Promise<boolean> {
  const { asking, summary } = stagesOf(options);
  return summary && !asking && !options.populateCache && !options.dryRun &&
    !await isFile(join(folder, FINISHED)) && await isFolder(join(folder, "scores"));
}

/**
 * Sums score files up.
 *
 * @param folder of the results; claimed
 * @throws InputError when there are none, or one is damaged
 */
export async function sumUpPublished(
  options: InterpretOptions,
  folder: string,
  started: Date,
): Promise<void> {
  const lape = await identifiedFeatures({ ...options, batchSize: IDENTIFY_TEXTS }, "latents");
  const scored: Scored[] = [];
  for (const scorer of SUMMED.filter((name) => options.scorers.includes(name))) {
    for (const latent of await latentsIn(join(folder, "scores", scorer), lape.result, options)) {
      const path = scorePath(folder, "identified", scorer, latent);
      const rows = readScoredExamples(await readText(path), path);
      const score = confusionScore(rows, options.numExamplesPerScorerPrompt);
      scored.push({ latent, group: "identified", scorer, score, failures: [] });
    }
  }
  if (scored.length === 0) {
    throw new InputError(
      `${join(folder, "scores")} has no scores of detection or fuzz at these hookpoints; name ` +
        `others with --layer or --scorers, or let latents be scored.`,
    );
  }
  const identified = onlyOnce(scored.map(({ latent }) => latent));
  const { summary } = await writeFindings(folder, {
    selected: { identified, random: [], skipped: [], silent: [], statisticsOf: () => undefined },
    explained: await explanationsOf(identified, folder),
    scored,
  });
  await writeManifest(join(folder, "log", "run.json"), await manifest(options, lape, started));
  if (options.verbose) print(summaryTables(summary));
  print(
    `\n${folder} has scores/average_scores.csv, explanations.csv, scores.csv, summary.json, ` +
      "failures.json",
  );
}

/** The latents that a folder has files of, hookpoint by hookpoint, then by index. */
async function latentsIn(
  folder: string,
  lape: LapeResult,
  { layer: patterns }: InterpretOptions,
): Promise<ChosenLatent[]> {
  if (!await isFolder(folder)) return [];
  const names = await listFolder(folder);
  const hookpoints = patterns === undefined
    ? allHookpoints(lape.layers)
    : resolveHookpoints(patterns, lape.layers);
  return hookpoints.flatMap(({ name: hookpoint, layer }) =>
    names.flatMap((name) => {
      const [, of, digits] = /^(.+)_latent(\d{1,9})\.txt$/.exec(name) ?? [];
      return of === hookpoint ? [Number(digits)] : [];
    }).sort((a, b) => a - b)
      .map((index) => ({ hookpoint, layer, index, languages: languagesOf(lape, layer, index) }))
  );
}

function languagesOf(
  { languages, features }: LapeResult,
  layer: number,
  index: number,
): string[] {
  return languages.filter((_, g) =>
    features[g].some((feature) => feature.layer === layer && feature.index === index)
  );
}

function onlyOnce(latents: readonly ChosenLatent[]): ChosenLatent[] {
  const byName = new Map(latents.map((latent) => [latentStem(latent), latent]));
  return [...byName.values()];
}

async function explanationsOf(
  latents: readonly ChosenLatent[],
  folder: string,
): Promise<Explained[]> {
  const explained: Explained[] = [];
  for (const latent of latents) {
    const path = explanationPath(folder, "identified", latent);
    const text = await readStoredText(path);
    explained.push({
      ...{ latent, group: "identified" },
      ...text === undefined
        ? { kind: "unanswered", reason: `There is no explanation in ${path}.` }
        : { kind: "explained", text },
    });
  }
  return explained;
}

/** What the sum was made from; it is not that of the results, which another program made. */
async function manifest(
  options: InterpretOptions,
  { path, sha256 }: IdentifiedFeatures,
  started: Date,
) {
  const { scorers, layer, numExamplesPerScorerPrompt } = options;
  return {
    step: "interpret",
    options: { logResults: true, scorers, layer, numExamplesPerScorerPrompt },
    lape: { path, sha256 },
    code: { sha256: await codeHash(ASKING_ROOMS) },
    ...timesSince(started),
  };
}
