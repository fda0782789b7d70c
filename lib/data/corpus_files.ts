/** Which files a corpus is read from, and how. */

import { InputError } from "../formats/input_error.ts";
import { type CorpusCompatibility, type CorpusSpec, UDHR } from "./dataset_configs.ts";
import { isFile, isFolder } from "./file_tree.ts";
import type { Hub } from "./hub/hub.ts";
import { hubRowFiles } from "./hub_corpora.ts";
import { parseRepoRef, type RepoRef } from "./hub/repo.ts";
import { spellingsOf } from "./languages.ts";
import { localFile, localFiles } from "./local_corpora.ts";
import { type PaperDataset, paperDataset, paperDatasetIn } from "./paper_datasets.ts";
import { columnPrompt, parsePromptTemplate, type Prompt } from "./prompts.ts";
import { ROW_EXTENSIONS, type RowFile } from "./row_files.ts";
import type { TextsQuery } from "./texts.ts";

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

/** A corpus as files of rows. */
export interface CorpusFiles {
  readonly source: CorpusSource;
  /** In the order of their rows. */
  readonly files: readonly RowFile[];
  readonly query: TextsQuery;
}

/**
 * The files of the texts that `spec` names, which are not read yet; `udhr` has none.
 *
 * @throws InputError when there is no such corpus, language or split
 */
export async function openCorpusFiles(
  spec: CorpusSpec,
  options: CorpusOptions,
): Promise<CorpusFiles> {
  const { name, lang, config, split } = spec;
  if (await isFolder(name)) {
    const paper = paperDatasetIn(name);
    const query = textsQuery(spec, options, paper);
    const files = await localFiles(spec, paper);
    return { files, query, source: { name, files: files.map(({ where }) => where) } };
  }
  if (await isFile(name)) {
    checkFile(name, split);
    const query = textsQuery(spec, options, undefined);
    return { files: [localFile(name)], query, source: { name, files: [name] } };
  }
  const found = await hubDataSet(name, options);
  if (!found) throw noCorpus(name);
  const paper = paperDataset(name);
  const query = textsQuery(spec, options, paper);
  const { commit, files, rows } = await hubRowFiles(found.hub, found.ref, {
    configs: config === undefined ? spellingsOf(lang) : [config],
    split: split ?? "train",
    labelled: paper?.label !== undefined,
  });
  return { files: rows, query, source: { name, commit, files } };
}

/** The data set of the hub that a name means; undefined for a folder, a file or anything else. */
export async function hubDataSet(
  name: string,
  { hub }: CorpusOptions,
): Promise<{ readonly hub: Hub; readonly ref: RepoRef } | undefined> {
  if (await isFolder(name) || await isFile(name)) return undefined;
  const ref = parseRepoRef(name, "dataset");
  return ref && hub && { hub: hub(), ref };
}

/** A text in a Unicode normal form; as it is, if none is given. */
export function normalized(text: string, form: NormalForm | undefined): string {
  return form ? text.normalize(form.toUpperCase()) : text;
}

/** Rows and prompt of a spec. @throws InputError for a prompt and a column at once */
export function textsQuery(
  { lang, start, end }: CorpusSpec,
  options: CorpusOptions,
  paper: PaperDataset | undefined,
): TextsQuery {
  const label = paper?.label &&
    { column: paper.label.column, values: paper.label.values(lang) };
  return { prompt: promptOf(options, paper), start, end, label };
}

/**
 * The prompt that options ask for, else a data set's own, else the column "text".
 *
 * @throws InputError for a template and a column at once
 */
export function promptOf(
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
