/** Folders of data sets within an output folder. */
import { datasetFolder } from "../count/count_files.ts";
import type { Corpus } from "../data/corpora.ts";
import { InputError } from "../formats/input_error.ts";

/** The folder of a corpus' data set, which also names it. */
export function folderOfDataset({ spec, source }: Pick<Corpus, "spec" | "source">): string {
  return datasetFolder(spec.name, source.commit !== undefined);
}

/** The corpora of one data set and language: parts of it, usually one. */
export interface DatasetLanguage {
  readonly dataset: string;
  readonly lang: string;
  readonly corpora: readonly Corpus[];
}

/**
 * Corpora by data set and language, in the order given.
 *
 * @throws InputError for data sets whose results would go to one folder
 */
export function byDatasetAndLanguage(corpora: readonly Corpus[]): DatasetLanguage[] {
  const names = new Map<string, string>();
  for (const corpus of corpora) {
    const folder = folderOfDataset(corpus);
    const { name } = corpus.spec;
    const other = names.get(folder) ?? name;
    if (other !== name) {
      throw new InputError(
        `The results of the data sets ${other} and ${name} would both go to ${folder}: rename one of the ` +
          `folders.`,
      );
    }
    names.set(folder, name);
  }
  const groups = Map.groupBy(
    corpora,
    (corpus) => `${folderOfDataset(corpus)} ${corpus.spec.lang}`,
  );
  return [...groups.values()].map((corpora) => ({
    dataset: folderOfDataset(corpora[0]),
    lang: corpora[0].spec.lang,
    corpora,
  }));
}
