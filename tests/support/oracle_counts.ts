/** The oracle's counts, pooled: see tests/fixtures/oracle. */
import { decodeCounts } from "../../lib/formats/counts.ts";
import { pool, type PooledCounts } from "../../lib/lape/pool.ts";

const ORACLE = new URL("../fixtures/oracle/", import.meta.url);

/** Qualified names of the oracle's languages, by code. */
const LANGUAGES: Readonly<Record<string, string>> = {
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

/**
 * Counts of all 15 languages.
 *
 * @param job "shared": 12 paragraphs per language; "default": the built-in udhr corpus
 */
export function oracleCounts(job: "shared" | "default", kind: "sae" | "neurons"): PooledCounts {
  const folder = new URL(job === "default" ? "default/counts/" : "counts/", ORACLE);
  return pool(
    Object.entries(LANGUAGES).map(([code, language]) => {
      const file = new URL(`${kind}/${code}.safetensors`, folder);
      return { language, counts: decodeCounts(Deno.readFileSync(file), file.pathname) };
    }),
  );
}

/** What the oracle identified from its counts. */
// deno-lint-ignore no-explicit-any
export function oracleResults(job: "shared" | "default"): any {
  const file = new URL(job === "default" ? "default/identify.json" : "identify.json", ORACLE);
  return JSON.parse(Deno.readTextFileSync(file));
}
