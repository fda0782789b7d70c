/** Corpora: the texts that a data set names, with what identifies them. */

import { createHash } from "node:crypto";
import { InputError } from "../formats/input_error.ts";
import {
  type CorpusOptions,
  type CorpusSource,
  hubDataSet,
  normalized,
  openCorpusFiles,
  textsQuery,
} from "./corpus_files.ts";
import { type CorpusSpec, describeSpec, UDHR } from "./dataset_configs.ts";
import { hubTexts } from "./hub_corpora.ts";
import { type Language, languageOf } from "./languages.ts";
import { paperDataset } from "./paper_datasets.ts";
import { readTexts, type TextRows } from "./texts.ts";
import { readUdhr } from "./udhr.ts";

/** Texts of one language. The three lists run in parallel. */
export interface Corpus {
  readonly spec: CorpusSpec;
  readonly language: Language;
  readonly source: CorpusSource;
  /** One example each; none is blank. */
  readonly texts: readonly string[];
  /** What each example is a part of: the article (preamble 0) of `udhr`, else its own row. */
  readonly documents: readonly number[];
  /**
   * Row number of each example, from 0, among the rows that the spec counts: all of the split, or
   * those of the language's label. Blank rows are left out but counted.
   */
  readonly rows: readonly number[];
  /** SHA-256, in hexadecimal, of the texts and their row numbers. */
  readonly sha256: string;
}

/**
 * Loads the texts that `spec` names: `udhr`, a local file, a local folder (`<lang>.txt`, `.jsonl`
 * and the like, maybe in a folder for the split, or a data set of the hub as it lies there), or a
 * data set of the hub.
 *
 * @throws InputError when there is no such corpus, language, split or text
 */
export async function loadCorpus(spec: CorpusSpec, options: CorpusOptions = {}): Promise<Corpus> {
  const language = languageOf(spec.lang);
  const found = spec.name === UDHR ? await udhrRows(spec) : await dataSetRows(spec, options);
  const form = options.normalForm ?? (spec.name === UDHR ? "nfc" : undefined);
  const kept = paperRows(found, spec, options.compat).flatMap((text, i) =>
    text === null ? [] : [{ text: normalized(text, form), row: spec.start + i }]
  );
  if (kept.length === 0) throw noTexts(spec, found.size);
  const rows = kept.map(({ row }) => row);
  const texts = kept.map(({ text }) => text);
  return {
    spec,
    language,
    source: found.source,
    texts,
    documents: rows.map((row) => found.documents?.[row] ?? row),
    rows,
    sha256: hashRows(rows, texts),
  };
}

interface SourceRows extends TextRows {
  readonly source: CorpusSource;
  /** Document of each row; its own, if not given. */
  readonly documents?: readonly number[];
  /** True where only rows of the language's label are counted. */
  readonly labelled?: boolean;
}

/** Splits of `udhr`, by article; the preamble is 0. Odd and even halve it into documents never shared. */
const UDHR_SPLITS: Readonly<Record<string, (article: number) => boolean>> = {
  train: () => true,
  odd: (article) => article % 2 === 1,
  even: (article) => article % 2 === 0,
};

async function udhrRows({ lang, split = "train", start, end }: CorpusSpec): Promise<SourceRows> {
  if (!Object.hasOwn(UDHR_SPLITS, split)) {
    throw new InputError(
      `The corpus udhr has no split ${
        JSON.stringify(split)
      }, expected odd or even (articles), or train ` +
        `for all; correct it or leave it out.`,
    );
  }
  const rows = (await readUdhr(lang)).filter(({ article }) => UDHR_SPLITS[split](article));
  return {
    texts: rows.slice(start, end).map(({ text }) => text),
    size: rows.length,
    documents: rows.map(({ article }) => article),
    source: { name: UDHR, files: [] },
  };
}

async function dataSetRows(spec: CorpusSpec, options: CorpusOptions): Promise<SourceRows> {
  const ref = await hubDataSet(spec.name, options);
  if (!ref) {
    const { files, query, source } = await openCorpusFiles(spec, options);
    return { ...await readTexts(files, query), source, labelled: query.label !== undefined };
  }
  const paper = paperDataset(spec.name);
  const query = textsQuery(spec, options, paper);
  const found = await hubTexts(ref.hub, ref.ref, spec, query, { paper, cache: options.rowsCache });
  const { commit, files } = found;
  const source = { name: spec.name, commit, files };
  return { ...found, source, labelled: query.label !== undefined };
}

/** The rows of the published program (quirk Q2, spec section 1) where that is asked for. */
function paperRows(
  { texts, size, labelled }: SourceRows,
  spec: CorpusSpec,
  compat: CorpusOptions["compat"],
): readonly (string | null)[] {
  if (compat !== "paper") return texts;
  const open = spec.end === Infinity;
  if (!labelled) return open ? texts.slice(0, Math.max(0, (size ?? 0) - 1 - spec.start)) : texts;
  if (open) return [];
  if (size === undefined) return texts;
  throw new InputError(
    `The data set ${describeSpec(spec)} ends after row ${size} of its label, which the published ` +
      `program refuses; name an end within them, or leave out --compat paper.`,
  );
}

function hashRows(rows: readonly number[], texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const [i, row] of rows.entries()) hash.update(`${JSON.stringify([row, texts[i]])}\n`);
  return hash.digest("hex");
}

function noTexts(spec: CorpusSpec, size: number | undefined): InputError {
  const there = size === undefined
    ? "the rows there are blank"
    : `the corpus has ${size} ${size === 1 ? "row" : "rows"} there`;
  return new InputError(
    `The data set ${describeSpec(spec)} has no texts, expected at least one: ${there}; name rows ` +
      `that hold text.`,
  );
}
