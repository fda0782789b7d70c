/** The oracle's counts, pooled: see tests/fixtures/oracle. */
import { type Counts, decodeCounts } from "../../lib/formats/counts.ts";
import { pool, type PooledCounts } from "../../lib/lape/pool.ts";

const ORACLE = new URL("../fixtures/oracle/", import.meta.url);

/** Qualified names of the oracle's languages, by code. */
export const ORACLE_LANGUAGES: Readonly<Record<string, string>> = {
  bg: "Bulgarian",
  de: "German",
  en: "English",
  es: "Spanish",
  fr: "French",
  hi: "Hindi",
  it: "Italian",
  ja: "Japanese",
  ko: "Korean",
  pt: "Portuguese",
  ru: "Russian",
  th: "Thai",
  tr: "Turkish",
  vi: "Vietnamese",
  zh: "Chinese",
};

/** "shared": 12 paragraphs per language; "default": the built-in udhr corpus. */
export type Job = "shared" | "default";

/** Counts of all 15 languages, pooled. */
export function oracleCounts(job: Job, kind: "sae" | "neurons"): PooledCounts {
  return pool(
    Object.entries(ORACLE_LANGUAGES)
      .map(([code, language]) => ({ language, counts: oracleCountsOf(job, kind, code) })),
  );
}

/** Counts of one language, by its code. */
export function oracleCountsOf(job: Job, kind: "sae" | "neurons", code: string): Counts {
  const folder = new URL(job === "default" ? "default/counts/" : "counts/", ORACLE);
  const file = new URL(`${kind}/${code}.safetensors`, folder);
  return decodeCounts(Deno.readFileSync(file), file.pathname);
}

/** What the oracle identified from its counts. */
// deno-lint-ignore no-explicit-any
export function oracleResults(job: Job): any {
  const file = new URL(job === "default" ? "default/identify.json" : "identify.json", ORACLE);
  return JSON.parse(Deno.readTextFileSync(file));
}
