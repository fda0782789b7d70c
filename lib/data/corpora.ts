/** Corpora: the texts that a data set names, with what identifies them. */

import { createHash } from "node:crypto";
import { InputError } from "../formats/input_error.ts";
import {
  type CorpusCompatibility,
  type CorpusSpec,
  describeSpec,
  UDHR,
} from "./dataset_configs.ts";
import { isFile, isFolder } from "./file_tree.ts";
import type { Hub } from "./hub/hub.ts";
import { parseRepoRef } from "./hub/repo.ts";
import { hubTexts } from "./hub_corpora.ts";
import { type Language, languageOf } from "./languages.ts";
import { localFile, localFiles } from "./local_corpora.ts";
import { type PaperDataset, paperDataset, paperDatasetIn } from "./paper_datasets.ts";
import { columnPrompt, parsePromptTemplate, type Prompt } from "./prompts.ts";
import { ROW_EXTENSIONS } from "./row_files.ts";
import { readTexts, type TextRows, type TextsQuery } from "./texts.ts";
import { readUdhr } from "./udhr.ts";

/** Unicode normal forms that texts can be brought to. */
export const NORMAL_FORMS = ["nfc", "nfd", "nfkc", "nfkd"] as const;
/** A Unicode normal form. */
export type NormalForm = typeof NORMAL_FORMS[number];

/** How texts are read. */
export interface CorpusOptions extends CorpusCompatibility {
  /** Column (field) with the texts; if not given, the data set's own, or "text". */
  textColumn?: string;
  /** Template of the texts, such as `{premise} {hypothesis}`, in place of a column. */
  promptTemplate?: string;
  /** Normal form of the texts; if not given, files are read as they are and `udhr` is NFC. */
  normalForm?: NormalForm;
  /** Opens the hub, when a data set is on it; there is none, if not given. */
  hub?: () => Hub;
  /** Folder where texts taken from a hub are kept between runs. */
  rowsCache?: string;
}

/** Where texts are from. */
export interface CorpusSource {
  /** `udhr`, or the data set as it was named. */
  readonly name: string;
  /** Of data sets on a hub: the commit. */
  readonly commit?: string;
  /** Files, in the order of their rows; those of a hub with the ids of their blobs. */
  readonly files: readonly (string | { readonly path: string; readonly oid: string })[];
}

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
  const { name, split } = spec;
  if (await isFolder(name)) {
    const paper = paperDatasetIn(name);
    const query = textsQuery(spec, options, paper);
    const files = await localFiles(spec, paper);
    const source = { name, files: files.map(({ where }) => where) };
    return { ...await readTexts(files, query), source, labelled: query.label !== undefined };
  }
  if (await isFile(name)) {
    checkFile(name, split);
    const query = textsQuery(spec, options, undefined);
    return { ...await readTexts([localFile(name)], query), source: { name, files: [name] } };
  }
  const ref = parseRepoRef(name, "dataset");
  if (!ref || !options.hub) throw noCorpus(name);
  const paper = paperDataset(name);
  const query = textsQuery(spec, options, paper);
  const found = await hubTexts(options.hub(), ref, spec, query, {
    paper,
    cache: options.rowsCache,
  });
  const { commit, files } = found;
  return { ...found, source: { name, commit, files }, labelled: query.label !== undefined };
}

function textsQuery(
  { lang, start, end }: CorpusSpec,
  options: CorpusOptions,
  paper: PaperDataset | undefined,
): TextsQuery {
  const label = paper?.label &&
    { column: paper.label.column, values: paper.label.values(lang) };
  return { prompt: promptOf(options, paper), start, end, label };
}

function promptOf(
  { promptTemplate, textColumn }: CorpusOptions,
  paper: PaperDataset | undefined,
): Prompt {
  if (promptTemplate === undefined) {
    return textColumn !== undefined ? columnPrompt(textColumn) : paper?.prompt ??
      columnPrompt("text");
  }
  if (textColumn === undefined) return parsePromptTemplate(promptTemplate);
  throw new InputError(
    `Both --text-column ${textColumn} and --prompt-template ${
      JSON.stringify(promptTemplate)
    } are ` +
      `given, expected one of them; leave one out.`,
  );
}

function checkFile(name: string, split: string | undefined): void {
  if (!ROW_EXTENSIONS.some((extension) => name.endsWith(`.${extension}`))) {
    throw new InputError(
      `${name} is no file of texts, expected one that ends with .${
        ROW_EXTENSIONS.join(", .")
      }; convert it.`,
    );
  }
  if (split === undefined || split === "train") return;
  throw new InputError(
    `${name} is a file and has no split ${JSON.stringify(split)}, expected none; leave it out.`,
  );
}

function noCorpus(name: string): InputError {
  return new InputError(
    `There is no corpus ${JSON.stringify(name)}, expected ${UDHR}, a folder that can be read and ` +
      `has files such as en.txt or en.jsonl, or owner/name on the hub; check the path.`,
  );
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

function normalized(text: string, form: NormalForm | undefined): string {
  return form ? text.normalize(form.toUpperCase()) : text;
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
