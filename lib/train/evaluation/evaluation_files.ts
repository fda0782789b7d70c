/** What `evaluate-sae` writes. */
import { join } from "node:path";
import { writeManifest } from "../../data/manifest.ts";
import { writeTable } from "../../data/tables.ts";
import type { DecodableTarget } from "../../sae/fidelity.ts";
import type { EvaluatedLanguage, Evaluation } from "./evaluate.ts";
import { type Figures, figuresOf, total } from "./figures.ts";

/** Figures of one SAE. */
export interface Report {
  readonly hookpoint: string;
  readonly sae: string;
  readonly latents: number;
  /** On all texts together. */
  readonly all: Figures;
  readonly languages: readonly (Figures & { readonly language: string })[];
}

/** What a table calls all languages together. */
const ALL = "all";

/** Figures of what was found of one SAE. */
export function reported(
  { hookpoint, sae }: DecodableTarget,
  languages: readonly EvaluatedLanguage[],
  { languages: found, silent }: Evaluation,
): Report {
  const { latents } = sae;
  return {
    hookpoint: hookpoint.name,
    sae: sae.where,
    latents,
    all: figuresOf(total(found.map(({ sums }) => sums)), latents, silent, true),
    languages: languages.map(({ name }, i) => ({
      language: name,
      ...figuresOf(found[i].sums, latents, found[i].silent, false),
    })),
  };
}

/**
 * Writes `evaluation.json`, and the same as `evaluation.csv` and `.parquet`: a row per hookpoint and
 * language, and one for all languages.
 *
 * @throws InputError when a file cannot be written
 */
export async function writeEvaluation(folder: string, reports: readonly Report[]): Promise<void> {
  await writeManifest(join(folder, "evaluation.json"), {
    units: "nats per token for CE and KL; shares are from 0 to 1",
    fvu: "of a language around its own mean activation, of all around theirs",
    saes: reports,
  });
  const rows = reports.flatMap(({ hookpoint, all, languages }) =>
    [{ language: ALL, ...all }, ...languages].map((figures) => ({ hookpoint, ...figures }))
  );
  const names = Object.keys(rows[0]) as (keyof typeof rows[number])[];
  const columns = names.map((name) => [name, rows.map((row) => row[name])] as const);
  await writeTable(join(folder, "evaluation"), Object.fromEntries(columns));
}
