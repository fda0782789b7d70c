/** What a run of counting has to do: the texts of each counts file, and their tokens. */
import type { Corpus } from "../data/corpora.ts";
import { InputError } from "../formats/input_error.ts";
import { checkLengths, tokenised, type TokenisedText } from "../session/tokenised.ts";
import type { Subject } from "../subject/subject.ts";
import { type CountIdentity, datasetFolder } from "./count_files.ts";
import { groupDocuments } from "./document_groups.ts";

/** The texts of one counts file. */
export interface Job {
  /** Folder of its counts, which also names it. */
  readonly dataset: string;
  readonly lang: string;
  readonly corpora: readonly Corpus[];
  readonly identity: string;
}

/** What is counted, in what, and by which code. */
export interface CountTask {
  readonly subject: Subject;
  /** Data sets in the order given; several of one name and language are counted together. */
  readonly corpora: readonly Corpus[];
  /** SHA-256 of the code that counts. */
  readonly code: string;
  readonly compat?: "paper";
  /** Most groups of documents that are counted apart; 0 for none. */
  readonly documentGroups: number;
  /** Leave out BOS (spec Q7). */
  readonly excludeBos: boolean;
}

/**
 * The counts files of a run, in the order the data sets were given.
 *
 * @throws InputError for data sets whose counts would go to one folder
 */
export function jobsOf(task: CountTask): Job[] {
  const { subject, corpora, code, compat, documentGroups, excludeBos } = task;
  const groups = new Map<string, Corpus[]>();
  const sources = new Map<string, string>();
  for (const corpus of corpora) {
    const { name, lang } = corpus.spec;
    const folder = folderOf(corpus);
    const source = sources.get(folder) ?? name;
    if (source !== name) {
      throw new InputError(
        `The data sets ${source} and ${name} would both be counted into ${folder}: rename one of the folders.`,
      );
    }
    sources.set(folder, name);
    const key = `${folder} ${lang}`;
    groups.set(key, [...groups.get(key) ?? [], corpus]);
  }
  return [...groups.values()].map((group) => {
    const identity: CountIdentity = {
      ...subject.hashes,
      hookpoints: subject.targets.map(({ hookpoint }) => hookpoint.name),
      corpus: group.map(({ sha256 }) => sha256),
      code,
      compat: compat ?? null,
      documentGroups,
      excludeBos,
    };
    const [first] = group;
    return {
      dataset: folderOf(first),
      lang: first.spec.lang,
      corpora: group,
      identity: JSON.stringify(identity),
    };
  });
}

function folderOf({ spec, source }: Corpus): string {
  return datasetFolder(spec.name, source.commit !== undefined);
}

/** The texts of one counts file as token ids. */
export interface TokenisedJob {
  readonly job: Job;
  readonly texts: readonly GroupedText[];
  /** Of the groups of documents, by index. */
  readonly groupLabels: readonly string[];
  /** All of them, BOS included. */
  readonly tokens: number;
}

/** A text that is counted into a group of documents. */
export interface GroupedText extends TokenisedText {
  /** Index of the group. */
  readonly group: number;
}

/** @throws InputError for a token that the model does not know */
export function tokenise({ subject, documentGroups }: CountTask, job: Job): TokenisedJob {
  const texts = job.corpora.flatMap((corpus) => tokenised(subject, corpus));
  const documents = texts.map(({ document }) => document);
  const { labels, ofText } = groupDocuments(job.dataset, documents, documentGroups);
  return {
    job,
    texts: texts.map((text, i) => ({ ...text, group: ofText[i] })),
    groupLabels: labels,
    tokens: tokensIn(texts),
  };
}

/** Tokens of some texts, BOS included. */
export function tokensIn(texts: readonly TokenisedText[]): number {
  return texts.reduce((sum, { ids }) => sum + ids.length, 0);
}

/**
 * Refuses a text that no batch can hold, before anything is counted.
 *
 * @param most tokens of a batch
 */
export function checkJob({ job, texts }: TokenisedJob, most: number): void {
  let first = 0;
  for (const corpus of job.corpora) {
    checkLengths(corpus, texts.slice(first, first + corpus.texts.length), most);
    first += corpus.texts.length;
  }
}
