/** The step `generate`: texts that a model writes while it is steered (spec 8.1). */
import { join, resolve } from "node:path";
import { print } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { table } from "../cli/table.ts";
import { Checkpoint } from "../data/checkpoint.ts";
import { claimFolder } from "../data/folder_claim.ts";
import { codeHash, timesSince, writeManifest } from "../data/manifest.ts";
import { InputError } from "../formats/input_error.ts";
import type { Sampling } from "../gpu/sampler.ts";
import { type IdentifiedFeatures, identifiedFeatures } from "../identify/lape_result.ts";
import { type Continuation, generate, type Generation } from "../nn/generation.ts";
import { mostSequences } from "../nn/kv_cache.ts";
import {
  openSession,
  profileTable,
  runModel,
  type RunningModel,
  type Session,
  sessionProvenance,
} from "../session/session.ts";
import type { Subject } from "../subject/subject.ts";
import { answer, publishedAnswer } from "../steer/answers.ts";
import { EditHooks } from "../steer/edit_hooks.ts";
import type { GenerateOptions } from "./generate_options.ts";
import { writeGenerations, type WrittenJob, type WrittenText } from "./generation_files.ts";
import { type GenerationJob, generationJobs, groupJobs, jobKey } from "./generation_jobs.ts";
import { generatePublished } from "../steer/published_generation.ts";

/** Code that decides texts. */
const ROOMS = [
  ...["kernels", "lib/gpu", "lib/nn", "lib/sae", "lib/steer", "lib/generate"],
  ...["lib/subject", "lib/formats", "lib/stats"],
];

/** What is to be written. */
interface Plan {
  readonly jobs: readonly GenerationJob[];
  readonly prompt: Uint32Array<ArrayBuffer>;
  readonly sampling: Sampling;
  readonly features: IdentifiedFeatures;
}

/** Does what the options of `generate` say. */
export async function generateTexts(options: GenerateOptions): Promise<void> {
  const started = new Date();
  const neurons = options.interventionType === "neuron";
  using session = await openSession(options, neurons ? ["layers.*.mlp.act_fn"] : undefined);
  const plan = await planned(options, session.subject);
  const { jobs, sampling, features } = plan;
  const folder = resolve(options.outDir, options.outPath);
  using _claim = await claimFolder(folder);
  const { adapter } = await session.openGpu(rowsOfPasses(options, jobs.length));
  const code = await codeHash(ROOMS);
  using checkpoint = await Checkpoint.open<WrittenText[]>(
    join(folder, "checkpoint.jsonl"),
    { ...identityOf(options, plan, session.subject), code, adapter },
  );
  const resumed = checkpoint.size;
  await writeMissing(session, options, plan, checkpoint);
  const written = jobs.map((job) => ({ job, texts: checkpoint.get(jobKey(job)) ?? [] }));
  await writeGenerations(folder, written, options);
  await writeManifest(join(folder, "run.json"), {
    ...{ step: "generate", options, sampling },
    ...sessionProvenance(session),
    lape: { path: features.path, sha256: features.sha256 },
    ...{ code_sha256: code, adapter, jobs: jobs.length, jobs_resumed: resumed },
    ...timesSince(started),
  });
  await checkpoint.remove();
  print(samples(written, neurons));
  print(`\n${folder} has the texts, generations.csv, generations.parquet, run.json`);
  if (options.profile) print(profileTable((await session.openGpu()).gpu) ?? "");
}

async function planned(options: GenerateOptions, subject: Subject): Promise<Plan> {
  const neurons = options.interventionType === "neuron";
  checkKind(subject, neurons);
  const prompt = promptIds(options.prompt, subject);
  const features = await identifiedFeatures(
    { ...options, lapeResultPath: options.lapeResultPath ?? options.inPath },
    neurons ? "neurons" : "latents",
  );
  const jobs = await generationJobs(options, subject, features);
  return { jobs, prompt, sampling: samplingOf(options, subject), features };
}

/** Most tokens that a pass after the prompts has: one of each text, but all where nothing is cached. */
function rowsOfPasses(
  { times, batchSize, compat }: GenerateOptions,
  jobs: number,
): number | undefined {
  return compat === "paper" ? undefined : Math.min(jobs * times, batchSize);
}

/** What the texts of a job depend on, beside the job itself. */
function identityOf(
  options: GenerateOptions,
  { sampling, features }: Plan,
  { hashes, targets, generation }: Subject,
) {
  const { seed, times, maxNewToken, prompt, lastTokenOnly, compat } = options;
  const { interventionType, neuronInterventionMethod, lapeValueType } = options;
  return {
    ...{ step: "generate", hashes, lape: features.sha256, sampling, endIds: generation.endIds },
    ...{ seed, times, maxNewToken, prompt, lastTokenOnly, compat },
    ...{ interventionType, neuronInterventionMethod, lapeValueType },
    hookpoints: targets.map(({ hookpoint }) => hookpoint.name),
  };
}

function checkKind({ kind }: Subject, neurons: boolean): void {
  if ((kind === "neurons") === neurons) return;
  throw new InputError(
    neurons
      ? "--intervention-type neuron edits neurons, but --layer names hookpoints of SAEs: name act_fn " +
        "hookpoints such as layers.*.mlp.act_fn, or leave --layer out."
      : "--layer names neurons, which --intervention-type sae-features does not edit: name hookpoints " +
        "of SAEs, or give --intervention-type neuron.",
  );
}

function promptIds(
  prompt: string,
  { tokenizer, config: { vocabularySize } }: Subject,
): Uint32Array<ArrayBuffer> {
  const ids = tokenizer.encode(prompt);
  const outside = ids.find((id) => id >= vocabularySize);
  if (outside !== undefined) {
    throw new InputError(
      `The tokenizer makes token ${outside} of --prompt, but the model's vocabulary has ` +
        `${vocabularySize}: give the model's own tokenizer.json.`,
    );
  }
  if (ids.length > 0) return ids;
  if (tokenizer.bosId !== undefined) return Uint32Array.of(tokenizer.bosId);
  throw new InputError(
    "The model has no token that texts begin with, so they need a beginning: give a --prompt.",
  );
}

/** Of the options, and where they are silent of the model. */
function samplingOf(options: GenerateOptions, { generation }: Subject): Sampling {
  const { temperature, topK, topP } = generation.sampling;
  return {
    temperature: options.greedy ? 0 : options.temperature ?? temperature,
    topK: options.topK ?? topK,
    topP: options.topP ?? topP,
  };
}

/** Writes the texts that the checkpoint has not, as many together as memory allows. */
async function writeMissing(
  session: Session,
  options: GenerateOptions,
  { jobs, prompt, sampling }: Plan,
  checkpoint: Checkpoint<WrittenText[]>,
): Promise<void> {
  const pending = jobs.filter((job) => checkpoint.get(jobKey(job)) === undefined);
  if (pending.length === 0) return;
  const { times, seed, maxNewToken } = options;
  using model = await runModel(session, options);
  const { gpu, llama, limits } = model;
  const capacity = prompt.length + maxNewToken;
  const most = Math.min(limits.examples, limits.tokens, mostSequences(gpu, llama.config, capacity));
  const ofJob = times * maxNewToken;
  const shown = progress({ label: "writing", total: pending.length * ofJob, unit: "tokens" });
  try {
    let [finished, drawn] = [0, 0];
    const generation: Generation = {
      ...{ maxNewTokens: maxNewToken, sampling, endIds: session.subject.generation.endIds },
      lastTokenOnly: options.lastTokenOnly,
      progress: (tokens) => shown.update(finished * ofJob + (drawn += tokens)),
    };
    for (const group of groupJobs(pending, times, most)) {
      using hooks = new EditHooks(gpu, group.map(({ edits }) => edits));
      const continuations = group.flatMap((_, set) =>
        Array.from({ length: times }, (_, i): Continuation => ({ prompt, seed: seed + i, set }))
      );
      const texts: WrittenText[] = [];
      for (let from = 0; from < continuations.length; from += most) {
        const some = continuations.slice(from, from + most);
        texts.push(
          ...await writeTogether(model, session.subject, some, generation, hooks, options),
        );
      }
      for (const [i, job] of group.entries()) {
        await checkpoint.put(jobKey(job), texts.slice(i * times, (i + 1) * times));
      }
      [finished, drawn] = [finished + group.length, 0];
      shown.update(finished * ofJob);
    }
  } finally {
    shown.done();
  }
}

async function writeTogether(
  { gpu, llama, limits }: RunningModel,
  { tokenizer }: Subject,
  continuations: readonly Continuation[],
  generation: Generation,
  hooks: EditHooks,
  { prompt, compat }: GenerateOptions,
): Promise<WrittenText[]> {
  if (compat === "paper" && !generation.lastTokenOnly) {
    const texts = await generatePublished(
      gpu,
      llama,
      tokenizer,
      continuations,
      limits,
      generation,
      hooks,
    );
    return texts.map(({ text, tokens, ended }, i) => ({
      ...{ seed: continuations[i].seed, tokens, ended },
      text: text.startsWith(prompt) ? text.slice(prompt.length) : text,
    }));
  }
  const written = await generate(gpu, llama, continuations, limits, generation, hooks);
  return written.map((ids, i) => {
    const { seed, prompt } = continuations[i];
    const { endIds, maxNewTokens } = generation;
    const text = compat === "paper"
      ? publishedAnswer(tokenizer, prompt, ids, maxNewTokens)
      : answer(tokenizer, prompt, ids, endIds);
    return { seed, tokens: ids.length, ended: endIds.includes(ids[ids.length - 1]), text };
  });
}

/** The first text of each job. */
function samples(jobs: readonly WrittenJob[], neurons: boolean): string {
  const columns = [
    { header: "towards" },
    { header: neurons ? "value" : "multiplier", align: "right" },
    { header: "text", maxWidth: 80 },
  ] as const;
  return table(
    columns,
    jobs.filter(({ job }) => job.control === 0).map(({ job, texts }) => [
      job.language || "(as it is)",
      job.language ? String(job.strength) : "",
      texts[0].text,
    ]),
  );
}
