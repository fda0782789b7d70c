/** The files of `generate`: a CSV per kind of text under the original's name, and one table of all. */
import { join } from "node:path";
import { writeAtomic } from "../data/files.ts";
import { writeTable } from "../data/tables.ts";
import type { GenerateOptions } from "./generate_options.ts";
import type { GenerationJob } from "./generation_jobs.ts";

/** A text that was written. */
export interface WrittenText {
  readonly seed: number;
  /** Tokens that were drawn, an end token included. */
  readonly tokens: number;
  readonly ended: boolean;
  readonly text: string;
}

/** Texts of one job. */
export interface WrittenJob {
  readonly job: GenerationJob;
  readonly texts: readonly WrittenText[];
}

/**
 * Writes `<code>/seed_….csv` of every job and `generations.{parquet,csv}` into a folder.
 *
 * @throws InputError when a file cannot be written
 */
export async function writeGenerations(
  folder: string,
  jobs: readonly WrittenJob[],
  options: GenerateOptions,
): Promise<void> {
  for (const { job, texts } of jobs) {
    const records = texts.map(({ seed, text }) => `${seed},${quoted(text)}\n`);
    await writeAtomic(
      join(folder, textsPath(job, options)),
      `seed,generated_text\n${records.join("")}`,
    );
  }
  await writeTable(join(folder, "generations"), generationColumns(jobs));
}

/** One row per text, in the order of the jobs. */
export function generationColumns(jobs: readonly WrittenJob[]) {
  const rows = jobs.flatMap(({ job, texts }) => texts.map((text) => ({ job, text })));
  return {
    lang: rows.map(({ job }) => job.code),
    language: rows.map(({ job }) => job.language),
    multiplier: rows.map(({ job }) => job.strength),
    control: rows.map(({ job }) => job.control),
    seed: rows.map(({ text }) => text.seed),
    tokens: rows.map(({ text }) => text.tokens),
    ended: rows.map(({ text }) => Number(text.ended)),
    text: rows.map(({ text }) => text.text),
  };
}

/** Path of a job's CSV in the folder of the texts: the original's name (spec 8.1). */
export function textsPath(
  { code, strength, control, layers }: GenerationJob,
  options: GenerateOptions,
): string {
  const { seed, maxNewToken, lastTokenOnly, interventionType, neuronInterventionMethod } = options;
  const steering = interventionType === "neuron"
    ? `neuron_${neuronInterventionMethod}_${pythonFloat(strength)}`
    : `mult_${pythonFloat(strength)}`;
  const name = `seed_${seed}_${steering}_token_${maxNewToken}_last_token_` +
    `${lastTokenOnly ? "True" : "False"}_layer_[${layers.join(", ")}].csv`;
  return join(code, control === 0 ? "" : `control_${control}`, name);
}

/** A number as Python's `repr` writes a float: `0.2`, `-1.0`, `1e-05`. */
export function pythonFloat(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [digits, sign, exponent] = value.toExponential().split(/e([+-])/);
    return `${digits}e${sign}${exponent.padStart(2, "0")}`;
  }
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** A CSV field (RFC 4180). */
function quoted(text: string): string {
  return /[",\r\n]/.test(text) || text === "" ? `"${text.replaceAll('"', '""')}"` : text;
}
