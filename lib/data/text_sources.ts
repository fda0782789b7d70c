/** Texts to train on, one after the other: of languages, or of a data set that names none. */

import type { CorpusSpec } from "./dataset_configs.ts";
import { describeSpec, UDHR } from "./dataset_configs.ts";
import { loadCorpus } from "./corpora.ts";
import {
  type CorpusOptions,
  type CorpusSource,
  normalized,
  openCorpusFiles,
  promptOf,
} from "./corpus_files.ts";
import type { FileHasher } from "./file_hashes.ts";
import { isFile } from "./file_tree.ts";
import { type Language, languageOf } from "./languages.ts";
import type { RowFile } from "./row_files.ts";
import { streamTexts } from "./texts.ts";

/** Texts that belong together. */
export interface TextSource {
  /** Undefined where languages are not told apart. */
  readonly language: Language | undefined;
  /** What decides the texts: names, commits, hashes. The same value means the same texts. */
  readonly identity: unknown;
  /** Texts of all rows from `begin` on; null for a row that has none. */
  read(begin: number): AsyncGenerator<string | null>;
}

/** How texts are read, and what files are hashed with. */
export interface TextSourceOptions extends CorpusOptions {
  readonly hasher: FileHasher;
}

/**
 * The texts that `specs` name, by language: languages in the order in which they are named first, and
 * the specs of a language one after the other (spec train-and-interpret B.11).
 *
 * @throws InputError when there is no such corpus, language or split
 */
export async function languageTexts(
  specs: readonly CorpusSpec[],
  options: TextSourceOptions,
): Promise<TextSource[]> {
  const byLanguage = Map.groupBy(specs, ({ lang }) => languageOf(lang).name);
  const sources: TextSource[] = [];
  for (const ofLanguage of byLanguage.values()) {
    const texts: TextSource[] = [];
    for (const spec of ofLanguage) texts.push(await specTexts(spec, options));
    sources.push(texts.length === 1 ? texts[0] : inTurn(texts, languageOf(ofLanguage[0].lang)));
  }
  return sources;
}

/** The texts of sources one after the other, as one. */
export function inTurn(
  sources: readonly TextSource[],
  language: Language | undefined,
): TextSource {
  return {
    language,
    identity: sources.map(({ identity }) => identity),
    async *read(begin) {
      let row = 0;
      for (const source of sources) {
        for await (const text of source.read(0)) if (row++ >= begin) yield text;
      }
    },
  };
}

/**
 * The texts of files that name no language.
 *
 * @throws InputError for a prompt and a column at once
 */
export async function fileTexts(
  files: readonly RowFile[],
  source: CorpusSource,
  options: TextSourceOptions,
): Promise<TextSource> {
  const { normalForm, hasher } = options;
  const prompt = promptOf(options, undefined);
  return {
    language: undefined,
    identity: {
      source: await identified(source, hasher),
      prompt: prompt.template,
      normal_form: normalForm,
    },
    async *read(begin) {
      for await (const text of streamTexts(files, { prompt, start: begin, end: Infinity })) {
        yield text && normalized(text, normalForm);
      }
    },
  };
}

async function specTexts(spec: CorpusSpec, options: TextSourceOptions): Promise<TextSource> {
  const language = languageOf(spec.lang);
  if (spec.name === UDHR) {
    const { texts, sha256 } = await loadCorpus(spec, options);
    return {
      language,
      identity: { data_set: describeSpec(spec), sha256 },
      async *read(begin) {
        yield* texts.slice(begin);
      },
    };
  }
  const { files, query, source } = await openCorpusFiles(spec, options);
  return {
    language,
    identity: {
      data_set: describeSpec(spec),
      source: await identified(source, options.hasher),
      prompt: query.prompt.template,
      normal_form: options.normalForm,
    },
    async *read(begin) {
      const rest = { ...query, start: query.start + begin };
      if (rest.start >= rest.end) return;
      for await (const text of streamTexts(files, rest)) {
        yield text && normalized(text, options.normalForm);
      }
    },
  };
}

/** A source whose local files are told by their hashes; those of a hub have them. */
export async function identified(
  { name, commit, files }: CorpusSource,
  hasher: FileHasher,
): Promise<CorpusSource> {
  const known: (string | { path: string; oid: string })[] = [];
  for (const file of files) {
    const isLocal = typeof file === "string" && await isFile(file);
    known.push(isLocal ? { path: file, oid: await hasher.sha256(file) } : file);
  }
  return { name, commit, files: known };
}
