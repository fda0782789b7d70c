/**
 * identification.json: what identify found and saw, as the report shows it, so that a page is made
 * again without the model: features with their probabilities, the tokens they fire on, texts.
 */
import { join } from "node:path";
import { z } from "zod";
import { isFile } from "../data/file_tree.ts";
import { readJson, writeAtomic } from "../data/files.ts";
import { InputError } from "../formats/input_error.ts";
import type { ReportData } from "./report_data.ts";

/** Name of the file within the folder of an identification. */
export const IDENTIFICATION_FILE = "identification.json";

const FORMAT = "babelscope identification 1";

/** JSON has no NaN and no infinities: they are null there. */
const Real = z.number().nullable().transform((value) => value ?? NaN);
const Count = z.int().nonnegative();
const Share = z.number().min(0).max(1);
const Pairs = z.array(z.tuple([z.string(), z.string()]));

const Piece = z.object({ text: z.string(), activation: Real });

const Feature = z.object({
  layer: Count,
  index: Count,
  entropy: Real,
  entropyInterval: z.object({ low: Real, high: Real }).optional(),
  qValue: Real.optional(),
  probability: Real,
  probabilities: z.array(Real),
  max: Real,
  topTokens: z.array(z.object({ text: z.string(), count: Count })),
  examples: z.array(z.object({
    language: z.string(),
    label: z.string(),
    pieces: z.array(Piece),
  })),
});

const Method = z.discriminatedUnion("algorithm", [
  z.object({
    algorithm: z.literal("sae_lape"),
    exampleRate: Share,
    tokenRate: Share,
    ratio: Share,
  }),
  z.object({
    algorithm: z.literal("lape"),
    topRate: Share,
    filterRate: Share,
    barRatio: Share,
  }),
]);

const Identification = z.object({
  format: z.literal(FORMAT),
  title: z.string(),
  model: z.string(),
  sae: z.string(),
  corpus: z.string(),
  method: Method,
  options: Pairs,
  command: z.string(),
  provenance: Pairs,
  languages: z.array(z.object({
    name: z.string(),
    code: z.string(),
    direction: z.enum(["ltr", "rtl"]),
    examples: Count,
    tokens: Count,
  })),
  layers: z.array(Count),
  width: Count,
  candidates: z.array(z.object({ layer: Count, index: Count, entropy: Real, shares: Count })),
  shareHistogram: z.array(Count),
  features: z.array(z.array(Feature)),
});

/**
 * Writes what identify found.
 *
 * @throws InputError when the file cannot be written
 */
export async function writeIdentification(folder: string, data: ReportData): Promise<void> {
  const text = JSON.stringify({ format: FORMAT, ...data }) + "\n";
  await writeAtomic(join(folder, IDENTIFICATION_FILE), text);
}

/**
 * Reads what identify found; undefined where it has left nothing.
 *
 * @throws InputError when the file is damaged
 */
export async function readIdentification(folder: string): Promise<ReportData | undefined> {
  const path = join(folder, IDENTIFICATION_FILE);
  if (!await isFile(path)) return undefined;
  const parsed = Identification.safeParse(await readJson(path));
  if (!parsed.success) {
    const [{ path: place, message }] = parsed.error.issues;
    throw new InputError(
      `${path}: ${place.join(".") || "the file"}: ${message}; run identify again, which writes it.`,
    );
  }
  const { format: _, ...data } = parsed.data;
  return data;
}
