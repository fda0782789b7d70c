/** The kinds of texts that `generate` writes: as the model is, and steered towards languages. */
import { resolve } from "node:path";
import type { IdentifiedFeatures } from "../identify/lape_result.ts";
import type { Subject } from "../subject/subject.ts";
import { type GenerateOptions, lapeValueOf } from "./generate_options.ts";
import type { Edit } from "../steer/interventions.ts";
import { languageInterventions } from "../steer/language_interventions.ts";

/** Texts under one steering; they differ by their seeds. */
export interface GenerationJob {
  /** As asked for; {@linkcode BASELINE} for the model as it is. */
  readonly code: string;
  /** Qualified name of the language; empty for the model as it is. */
  readonly language: string;
  /** m, or the value of neurons. */
  readonly strength: number;
  /** 0: the language's own features; from 1 on: a draw of random ones. */
  readonly control: number;
  readonly edits: readonly Edit[];
  /** Layers that may be edited. */
  readonly layers: readonly number[];
}

/** Code of the model as it is. */
export const BASELINE = "baseline";

/** Names a job among those of one run. */
export function jobKey({ code, strength, control }: GenerationJob): string {
  return JSON.stringify([code, strength, control]);
}

/**
 * The jobs that options ask for: language by language, own features before controls, multipliers in the
 * order given.
 *
 * @throws InputError for languages without features, and files that do not fit the model
 */
export async function generationJobs(
  options: GenerateOptions,
  subject: Subject,
  features: IdentifiedFeatures,
): Promise<GenerationJob[]> {
  const layers = subject.targets.map(({ hookpoint }) => hookpoint.layer);
  const neurons = options.interventionType === "neuron";
  const strengths = neurons ? [options.value] : options.multiplier;
  const steered: GenerationJob[][][] = [];
  for (const strength of strengths) {
    const interventions = await languageInterventions(
      {
        ...options,
        interventionLang: options.lang,
        lapeValueType: `final_indice_global_${lapeValueOf(options)}_active`,
        ...(neurons ? { value: strength, multiplier: 0 } : { multiplier: strength }),
      },
      subject,
      { ...features, path: resolve(features.path) },
      [],
      "--lang",
    );
    steered.push(
      interventions.map(({ code, name, edits, controls }) =>
        [edits, ...controls].map((edits, control): GenerationJob => ({
          ...{ code, language: name, strength, control, edits, layers },
        }))
      ),
    );
  }
  const languages = steered[0].map((_, g) => steered.flatMap((perLanguage) => perLanguage[g]));
  const baseline: GenerationJob = {
    ...{ code: BASELINE, language: "", strength: 0, control: 0, edits: [], layers: [] },
  };
  return [...(options.lang ? [] : [baseline]), ...languages.flat()];
}

/**
 * Cuts jobs, in order, into groups whose texts are written together.
 *
 * @param texts of each job
 * @param most texts of one group, unless one job alone has more
 */
export function groupJobs<J>(jobs: readonly J[], texts: number, most: number): J[][] {
  const size = Math.max(1, Math.floor(most / texts));
  return Array.from(
    { length: Math.ceil(jobs.length / size) },
    (_, i) => jobs.slice(i * size, (i + 1) * size),
  );
}
