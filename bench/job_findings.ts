/** What the sides of the job found, and whether they found the same. */
import { join } from "node:path";
import { z } from "zod";
import { countsPath, readCounts } from "../lib/count/count_files.ts";
import { readJson } from "../lib/data/files.ts";
import { languageOf } from "../lib/data/languages.ts";
import { readLapeFile } from "../lib/data/lape_files.ts";
import { openSafetensorsFile } from "../lib/data/safetensors_files.ts";
import { WrongResult } from "./workload.ts";

/** What one side found in one language. */
export interface LanguageFindings {
  readonly tokens: number;
  /** [layers × latents] tokens on which each latent fired. */
  readonly firedTokens: ArrayLike<number>;
  /** `layer/index` of the latents of this language alone. */
  readonly features: ReadonlySet<string>;
}

/** What one side found. */
export interface Findings {
  /** By the language's code. */
  readonly byLanguage: ReadonlyMap<string, LanguageFindings>;
  /** Most GPU memory at a time, as the side tells it; null for one that used no GPU. */
  readonly gpuBytes: number | null;
}

/**
 * Reads what `identify` left behind.
 *
 * @param dataset of the counts
 * @throws InputError when it is not there
 */
export async function ourFindings(
  out: string,
  dataset: string,
  languages: readonly string[],
): Promise<Findings> {
  const lape = await readLapeFile(join(out, "lape.json"));
  const { gpu_peak_bytes } = manifestSchema.parse(await readJson(join(out, "run.json")));
  const found = new Map<string, LanguageFindings>();
  for (const lang of languages) {
    const { counts } = await readCounts(countsPath(join(out, "counts"), dataset, lang));
    const features = lape.features[lape.languages.indexOf(languageOf(lang).name)];
    found.set(lang, {
      tokens: counts.tokens,
      firedTokens: counts.firedTokens,
      features: new Set(features.map(({ layer, index }) => `${layer}/${index}`)),
    });
  }
  return { byLanguage: found, gpuBytes: gpu_peak_bytes };
}

/** What run.json of identify and result.json of the peers both say. */
const manifestSchema = z.object({ gpu_peak_bytes: z.number().nullable() });

/** result.json of the peers. */
const resultSchema = manifestSchema.extend({
  tokens: z.record(z.string(), z.int()),
  features: z.record(z.string(), z.array(z.tuple([z.int(), z.int()]))),
});

/**
 * Reads what peers/job_files.py wrote.
 *
 * @throws InputError when it is not there
 */
export async function peerFindings(out: string, languages: readonly string[]): Promise<Findings> {
  const { tokens, features, gpu_peak_bytes } = resultSchema.parse(
    await readJson(join(out, "result.json")),
  );
  using fired = await openSafetensorsFile(join(out, "fired_tokens.safetensors"));
  const found = new Map<string, LanguageFindings>();
  for (const lang of languages) {
    found.set(lang, {
      tokens: tokens[lang],
      firedTokens: new Int32Array((await fired.read(lang)).buffer),
      features: new Set(features[lang].map(([layer, index]) => `${layer}/${index}`)),
    });
  }
  return { byLanguage: found, gpuBytes: gpu_peak_bytes };
}

/** How far two sides agree. */
export interface Agreement {
  readonly tokens: number;
  /** Features of languages that both found, of all that either did; 1 where there are none. */
  readonly features: number;
  /** Counts of latents that are equal, of those in which either side's latent fired. */
  readonly equalCounts: number;
  /** Firings that the other side has elsewhere: ties within f32's rounding. */
  readonly moved: number;
  readonly firings: number;
}

/** Least that the peers must agree with us: only f32's rounding may tell the sides apart. */
const LEAST = { features: 0.99, equalCounts: 0.999 };

/**
 * Compares a peer's findings with ours.
 *
 * @param peer its name
 * @throws WrongResult when the two did not do the same work
 */
export function agreement(ours: Findings, theirs: Findings, peer: string): Agreement {
  let [tokens, both, either, equal, fired, moved, firings] = [0, 0, 0, 0, 0, 0, 0];
  for (const [lang, own] of ours.byLanguage) {
    const other = theirs.byLanguage.get(lang);
    if (other?.tokens !== own.tokens) {
      throw new WrongResult(`${peer} read ${other?.tokens} tokens of ${lang}, we ${own.tokens}`);
    }
    tokens += own.tokens;
    both += own.features.intersection(other.features).size;
    either += own.features.union(other.features).size;
    for (let at = 0; at < own.firedTokens.length; at++) {
      const [a, b] = [own.firedTokens[at], other.firedTokens[at]];
      if (a === 0 && b === 0) continue;
      fired++;
      firings += a;
      if (a === b) equal++;
      else moved += Math.abs(a - b) / 2;
    }
  }
  const features = either === 0 ? 1 : both / either;
  const equalCounts = fired === 0 ? 1 : equal / fired;
  if (features < LEAST.features || equalCounts < LEAST.equalCounts) {
    throw new WrongResult(
      `${peer} agrees with us on ${percent(features)} of the features and ` +
        `${percent(equalCounts)} of the counts`,
    );
  }
  return { tokens, features, equalCounts, moved, firings };
}

/** A share, as exactly as it takes to tell it from 1. */
export function percent(share: number): string {
  return `${Number((100 * share).toFixed(3))} %`;
}
