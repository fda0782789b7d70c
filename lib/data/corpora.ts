/** Corpora: the texts that a data set names, with what identifies them. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { InputError } from "../formats/input_error.ts";
import {
  type CorpusCompatibility,
  type CorpusSpec,
  describeSpec,
  UDHR,
} from "./dataset_configs.ts";
import { listFolder } from "./files.ts";
import { type Language, languageOf } from "./languages.ts";
import { readTextRows, TEXT_EXTENSIONS, type TextRows } from "./text_rows.ts";
import { readUdhr } from "./udhr.ts";

/** Unicode normal forms that texts can be brought to. */
export const NORMAL_FORMS = ["nfc", "nfd", "nfkc", "nfkd"] as const;
/** A Unicode normal form. */
export type NormalForm = typeof NORMAL_FORMS[number];

/** How texts are read. */
export interface CorpusOptions extends CorpusCompatibility {
  /** Column (field) with the texts of .jsonl, .csv and .parquet; "text" if not given. */
  textColumn?: string;
  /** Normal form of the texts; if not given, files are read as they are and `udhr` is NFC. */
  normalize?: NormalForm;
}

/** Texts of one language. The four lists run in parallel. */
export interface Corpus {
  readonly spec: CorpusSpec;
  readonly language: Language;
  /** One example each; none is blank. */
  readonly texts: readonly string[];
  /** What each example is a part of: the article (preamble 0) of `udhr`, else its own row. */
  readonly documents: readonly number[];
  /** Row number of each example in its file, from 0; blank rows are left out but counted. */
  readonly rows: readonly number[];
  /** SHA-256, in hexadecimal, of the texts and their row numbers. */
  readonly sha256: string;
}

/**
 * Loads the texts that `spec` names: `udhr`, or `<lang>.txt|jsonl|csv|parquet` in a folder (in its
 * folder `<split>`, if there is one).
 *
 * @throws InputError when there is no such corpus, language, split or text
 */
export async function loadCorpus(spec: CorpusSpec, options: CorpusOptions = {}): Promise<Corpus> {
  const language = languageOf(spec.lang);
  const { texts, documents } = spec.name === UDHR
    ? await udhrRows(spec)
    : await folderRows(spec, options.textColumn ?? "text");
  const form = options.normalize ?? (spec.name === UDHR ? "nfc" : undefined);
  const rows = selectedRows(spec, texts, options.compat);
  if (rows.length === 0) throw noTexts(spec, texts.length);
  const chosen = rows.map((row) => normalized(texts[row]!, form));
  return {
    spec,
    language,
    texts: chosen,
    documents: rows.map((row) => documents?.[row] ?? row),
    rows,
    sha256: hashRows(rows, chosen),
  };
}

interface SourceRows {
  readonly texts: TextRows;
  /** Document of each row; its own, if not given. */
  readonly documents?: readonly number[];
}

async function udhrRows({ lang, split }: CorpusSpec): Promise<SourceRows> {
  if (split !== undefined && split !== "train") {
    throw new InputError(
      `The corpus udhr has no split ${JSON.stringify(split)}, expected none; leave it out.`,
    );
  }
  const rows = await readUdhr(lang);
  return { texts: rows.map(({ text }) => text), documents: rows.map(({ article }) => article) };
}

async function folderRows(spec: CorpusSpec, textColumn: string): Promise<SourceRows> {
  return { texts: await readTextRows(await textFile(spec), spec.end, textColumn) };
}

async function textFile({ name, lang, split }: CorpusSpec): Promise<string> {
  const names = await listCorpus(name);
  const inSplit = split !== undefined && names.includes(split);
  if (split !== undefined && split !== "train" && !inSplit) {
    throw new InputError(
      `The corpus ${name} has no folder ${JSON.stringify(split)} for the split, found ` +
        `${names.join(", ") || "nothing"}; name one of its folders or leave the split out.`,
    );
  }
  const folder = inSplit ? join(name, split) : name;
  const there = inSplit ? await listFolder(folder) : names;
  const candidates = TEXT_EXTENSIONS.map((extension) => `${lang}.${extension}`);
  const files = candidates.filter((file) => there.includes(file));
  if (files.length === 1) return join(folder, files[0]);
  throw new InputError(
    files.length > 1
      ? `The corpus ${folder} has ${files.join(" and ")} for one language, expected one of them; ` +
        `move the others away.`
      : `The corpus ${folder} has no texts for ${JSON.stringify(lang)}, expected one of ` +
        `${candidates.join(", ")}, found ${there.join(", ") || "nothing"}; name a language that ` +
        `is there.`,
  );
}

async function listCorpus(name: string): Promise<string[]> {
  try {
    return await listFolder(name);
  } catch {
    throw new InputError(
      `There is no corpus ${JSON.stringify(name)}, expected ${UDHR} or a folder that can be read ` +
        `and has files such as en.txt or en.jsonl; check the path.`,
    );
  }
}

/** Numbers of the rows that are asked for and have a text. */
function selectedRows(
  { start, end }: CorpusSpec,
  texts: TextRows,
  compat: CorpusOptions["compat"],
): number[] {
  const open = end === Infinity;
  const last = open && compat === "paper" ? texts.length - 1 : Math.min(end, texts.length);
  const rows: number[] = [];
  for (let row = start; row < last; row++) if (texts[row] !== undefined) rows.push(row);
  return rows;
}

function normalized(text: string, form: NormalForm | undefined): string {
  return form ? text.normalize(form.toUpperCase()) : text;
}

function hashRows(rows: readonly number[], texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const [i, row] of rows.entries()) hash.update(`${JSON.stringify([row, texts[i]])}\n`);
  return hash.digest("hex");
}

function noTexts(spec: CorpusSpec, length: number): InputError {
  return new InputError(
    `The data set ${describeSpec(spec)} has no texts, expected at least one: the corpus has ` +
      `${length} ${length === 1 ? "row" : "rows"} there; name rows that hold text.`,
  );
}
