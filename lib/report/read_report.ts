/** Reads from a folder of results all that its page shows. Every part is optional. */
import { basename, join } from "node:path";
import { z } from "zod";
import { isFile, isFolder } from "../data/file_tree.ts";
import { listFolder, readJson } from "../data/files.ts";
import { InputError } from "../formats/input_error.ts";
import { claimsOf } from "../summary/claims.ts";
import { readFindings } from "../summary/read_findings.ts";
import { readExplanations } from "./explained_files.ts";
import { readIdentification } from "./identification_file.ts";
import { countText, percentText, quantityText } from "./numbers.ts";
import type { ReportData, ReportFeature } from "./report_data.ts";
import type {
  EvaluatedSae,
  ExplanationRun,
  Refound,
  ReplicationResult,
  ReportPage,
  RunRecord,
} from "./report_page.ts";

/** Who says what language steered texts are in; needs no download. */
const JUDGE = "eld";
/** Runs of steps lie so deep in a folder of results, e.g. ppl/udhr/sae-features_max_0.2. */
const DEPTH = 4;
/** Folders without a run.json in them that may hold very many files. */
const NO_RUNS = /^(counts|.*_counts|models?|saes?|\..*)$/;

/**
 * Reads a folder of results.
 *
 * @returns all of the page but its figures
 * @throws InputError when there is no such folder, nothing of a step in it, or a file is damaged
 */
export async function readReport(folder: string): Promise<Omit<ReportPage, "figures">> {
  if (!await isFolder(folder)) {
    throw new InputError(
      `There is no folder ${folder}; name the folder of results of a step with --out-dir.`,
    );
  }
  const runs = distinct(await readRuns(folder));
  const identification = await readIdentification(folder);
  const found = await isFile(join(folder, "lape.json")) && await isFile(join(folder, "run.json"));
  const findings = found ? await readFindings(folder, JUDGE) : undefined;
  const explanations = await readExplanations(folder);
  return {
    title: titleOf(runs),
    summary: await summaryOf(folder, runs),
    folder: basename(folder),
    identification: identification && withExplanations(identification, explanations),
    claims: findings ? claimsOf(findings) : [],
    findings,
    replication: await readReplication(join(folder, "replication.json")),
    evaluation: await readEvaluation(folder),
    explanations,
    runs,
  };
}

function withExplanations(
  data: ReportData,
  explanations: readonly ExplanationRun[],
): ReportData {
  const texts = new Map(
    explanations.flatMap(({ features }) => features)
      .flatMap(({ layer, index, explanation }) =>
        explanation === null ? [] : [[`${layer}/${index}`, explanation]]
      ),
  );
  const withOne = (feature: ReportFeature): ReportFeature => ({
    ...feature,
    explanation: texts.get(`${feature.layer}/${feature.index}`),
  });
  return { ...data, features: data.features.map((list) => list.map(withOne)) };
}

const TITLES: Readonly<Record<string, string>> = {
  "train-sae": "Training of sparse autoencoders",
  "evaluate-sae": "Evaluation of sparse autoencoders",
  interpret: "Explanations of features",
};

function titleOf(runs: readonly RunRecord[]): string {
  const steps = [...new Set(runs.map(({ step }) => step))];
  return steps.length === 1 ? TITLES[steps[0]] ?? `Results of ${steps[0]}` : "Results";
}

const Training = z.looseObject({
  step: z.literal("train-sae"),
  coders: z.array(z.string()),
  result: z.looseObject({
    steps: z.number(),
    tokens: z.number(),
    held_out_fvu: z.record(z.string(), z.number().nullable()).nullish(),
  }),
});

async function summaryOf(folder: string, runs: readonly RunRecord[]): Promise<string> {
  const own = runs.find(({ path }) => path === "run.json");
  const training = own && Training.safeParse(await readJson(join(folder, own.path)));
  if (!training?.success) return `The results of ${quantityText(runs.length, "run")}.`;
  const { coders, result: { steps, tokens, held_out_fvu } } = training.data;
  const left = Object.values(held_out_fvu ?? {}).filter((fvu) => fvu !== null);
  const held = left.length === 0
    ? ""
    : ` Of tokens held out they leave ${shareRange(left)} of the variance unexplained.`;
  return `${quantityText(coders.length, "sparse coder")} trained for ${
    quantityText(steps, "step")
  } on ${countText(tokens)} tokens.${held}`;
}

function shareRange(shares: readonly number[]): string {
  const [low, high] = [Math.min(...shares), Math.max(...shares)].map(percentText);
  return low === high ? low : `${low} to ${high}`;
}

const Real = z.number().nullable().transform((value) => value ?? NaN);

const Agreement = z.looseObject({
  features: z.number(),
  features_replication: z.number(),
  features_both: z.number(),
  jaccard: Real,
  entropy_spearman: Real,
});

const Replication = z.looseObject({
  corpus: z.string(),
  languages: z.record(z.string(), Agreement),
  all: Agreement,
});

async function readReplication(path: string): Promise<ReplicationResult | undefined> {
  if (!await isFile(path)) return undefined;
  const { corpus, languages, all } = await read(path, Replication);
  const refound = (language: string, found: z.infer<typeof Agreement>): Refound => ({
    language,
    first: found.features,
    second: found.features_replication,
    both: found.features_both,
    jaccard: found.jaccard,
    correlation: found.entropy_spearman,
  });
  const rows = Object.entries(languages).map(([language, found]) => refound(language, found));
  return { corpus, languages: [...rows, refound("all", all)] };
}

const Evaluation = z.looseObject({
  saes: z.array(z.looseObject({
    hookpoint: z.string(),
    all: z.record(z.string(), z.number().nullable()),
  })),
});

async function readEvaluation(folder: string): Promise<EvaluatedSae[]> {
  const paths = ["evaluation.json", "evaluation/evaluation.json"].map((name) => join(folder, name));
  for (const path of paths) {
    if (!await isFile(path)) continue;
    const { saes } = await read(path, Evaluation);
    return saes.map(({ hookpoint, all }) => ({ hookpoint, values: all }));
  }
  return [];
}

const Run = z.looseObject({
  step: z.string(),
  started: z.string().catch(""),
  seconds: z.number().catch(NaN),
});

/** The run.json of all steps that have one; what is none is no business of the page. */
async function readRuns(folder: string, inner = "", depth = 1): Promise<RunRecord[]> {
  const runs: RunRecord[] = [];
  for (const name of await listFolder(join(folder, inner))) {
    const path = join(inner, name);
    if (name === "run.json") {
      const parsed = Run.safeParse(await readJson(join(folder, path)));
      if (!parsed.success) continue;
      const { step, started, seconds, options, adapter, code, versions } = parsed.data;
      const entries = flattened({ options, adapter, code, versions });
      runs.push({ path, step, started, seconds, entries });
    } else if (depth < DEPTH && !NO_RUNS.test(name) && await isFolder(join(folder, path))) {
      runs.push(...await readRuns(folder, path, depth + 1));
    }
  }
  return runs;
}

/** A step that has several folders leaves the same run.json in each. */
function distinct(runs: readonly RunRecord[]): RunRecord[] {
  const same = Map.groupBy(runs, ({ step, started }) => `${step} ${started}`);
  return [...same.values()].map((list) =>
    list.reduce((a, b) => b.path.length < a.path.length ? b : a)
  );
}

/** A tree of values as `a.b.c` → text. */
function flattened(value: unknown, path = ""): [string, string][] {
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null) return [[path, String(value)]];
  return Object.entries(value).flatMap(([key, inner]) =>
    flattened(inner, path ? `${path}.${key}` : key)
  );
}

async function read<S extends z.ZodType>(path: string, schema: S): Promise<z.infer<S>> {
  const parsed = schema.safeParse(await readJson(path));
  if (parsed.success) return parsed.data;
  const [{ path: place, message }] = parsed.error.issues;
  throw new InputError(
    `${path}: ${place.join(".") || "the file"}: ${message}; run the step that writes it again.`,
  );
}
