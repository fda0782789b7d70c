/** What a run of counting has to do: the texts of each counts file, and their tokens. */
import type { Corpus } from "../data/corpora.ts";
import { InputError } from "../formats/input_error.ts";
import type { Subject } from "../subject/subject.ts";
import { type CountIdentity, datasetFolder } from "./count_files.ts";

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
}

/**
 * The counts files of a run, in the order the data sets were given.
 *
 * @throws InputError for data sets whose counts would go to one folder
 */
export function jobsOf({ subject, corpora, code, compat }: CountTask): Job[] {
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
  readonly texts: readonly { readonly ids: Uint32Array<ArrayBuffer> }[];
  readonly tokens: number;
}

/** @throws InputError for a token that the model does not know */
export function tokenise({ tokenizer, config }: Subject, job: Job): TokenisedJob {
  const texts = job.corpora.flatMap((corpus) =>
    corpus.texts.map((text, i) => {
      const ids = tokenizer.encode(text);
      const outside = ids.find((id) => id >= config.vocabularySize);
      if (outside !== undefined) {
        throw new InputError(
          `The tokenizer makes token ${outside} of row ${
            corpus.rows[i]
          } of ${job.dataset}:${job.lang}, but ` +
            `the model's vocabulary has ${config.vocabularySize}: give the model's own tokenizer.json.`,
        );
      }
      return { ids };
    })
  );
  return { job, texts, tokens: texts.reduce((sum, { ids }) => sum + ids.length, 0) };
}

/**
 * Refuses a text that no batch can hold, before anything is counted.
 *
 * @param most tokens of a batch
 * @param asked tokens of a batch that were asked for
 */
export function checkLengths({ job, texts }: TokenisedJob, most: number, asked: number): void {
  const long = texts.findIndex(({ ids }) => ids.length > most);
  if (long < 0) return;
  const row = job.corpora.flatMap(({ rows }) => rows)[long];
  throw new InputError(
    `Row ${row} of ${job.dataset}:${job.lang} has ${texts[long].ids.length} tokens, but a batch ` +
      `holds ${most}: ${most === asked ? "raise --block-tokens or " : ""}split the text.`,
  );
}
