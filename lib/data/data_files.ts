/**
 * Which files of a data set hold a configuration's split: those that its README declares, else
 * those whose paths say so, by the hub's conventions
 * (https://huggingface.co/docs/hub/datasets-file-names-and-splits).
 */

import picomatch from "picomatch";
import { InputError } from "../formats/input_error.ts";
import type { DeclaredConfig } from "./front_matter.ts";
import { ROW_EXTENSIONS } from "./row_files.ts";

/** A configuration's split of a data set. */
export interface DataSetPart {
  /** Names that the configuration may have; the first that is there is meant. */
  readonly configs: readonly string[];
  readonly split: string;
  /** True where all configurations share the files and a label tells them apart. */
  readonly labelled: boolean;
}

/** A data set's files and how they are asked for. */
export interface DataFilesQuery extends DataSetPart {
  /** Paths of all files, divided by `/`. */
  readonly paths: readonly string[];
  readonly declared: readonly DeclaredConfig[];
  /** Whether rows may be there in several formats. */
  readonly formats: "one" | "several";
  /** The data set, for messages. */
  readonly where: string;
}

const TABLE = new RegExp(`\\.(?:${ROW_EXTENSIONS.join("|")})$`);
const PACKED = new RegExp(`\\.(?:${ROW_EXTENSIONS.join("|")}|json)\\.(?:gz|zst|bz2|xz|zip)$`);
/** `-00000-of-00003`, `.00000-of-00003`, and the numbers that stand alone: `0000`. */
const SHARD = /[-.](\d{5})-of-(\d{5})$/;
const NUMBER = /^(?:part[-.])?\d+$|[-_]\d{1,5}$/;
const MOST_STARS = 8;
/** As many names as a message bears. */
const MOST_NAMED = 12;

/**
 * Files of the split, in the order of their rows.
 *
 * @throws InputError when there are none, saying what there is, or a shard is missing
 */
export function findDataFiles(query: DataFilesQuery): string[] {
  const tables = query.paths.filter((path) => TABLE.test(path)).sort();
  const found = declaredFiles(query, tables) ?? conventionalFiles(query, tables);
  if (found.length === 0) throw notFound(query, tables);
  const chosen = ofOneFormat(found, query);
  checkShards(chosen, query.where);
  return chosen;
}

/** Whether there is any file that rows can be read from. */
export function hasDataFiles(paths: readonly string[]): boolean {
  return paths.some((path) => TABLE.test(path));
}

/** Undefined where the README does not declare the configuration. */
function declaredFiles(
  { declared, configs, split, labelled }: DataFilesQuery,
  tables: readonly string[],
): string[] | undefined {
  const config = configs.map((name) => declared.find((config) => config.name === name))
    .find((config) => config !== undefined) ??
    (declared.length === 1 && (labelled || declared[0].name === "default")
      ? declared[0]
      : undefined);
  if (!config) return undefined;
  const matching = (patterns: readonly string[]) => {
    const matches = patterns.filter(isTame).map((pattern) =>
      picomatch(pattern, { noextglob: true })
    );
    return tables.filter((path) => matches.some((match) => match(path)));
  };
  const ofSplit = config.dataFiles.filter((entry) => entry.split === split);
  if (ofSplit.length > 0) return matching(ofSplit.flatMap(({ patterns }) => patterns));
  const unnamed = config.dataFiles.filter((entry) => entry.split === undefined);
  const all = matching(unnamed.flatMap(({ patterns }) => patterns));
  const named = all.filter((path) =>
    keyOf(path).some((part) => part.split(/[-_.]/).includes(split))
  );
  // files that name no split are the training split
  return named.length > 0 || split !== "train" ? named : all;
}

/** Patterns come from a stranger's README: with many stars, one can take for ever to match. */
function isTame(pattern: string): boolean {
  // no path of a hub has a backslash, and matching a run of them takes time exponential in its length
  return pattern.length <= 1000 && pattern.split("*").length <= MOST_STARS &&
    !pattern.includes("\\");
}

function conventionalFiles(
  { configs, split, labelled }: DataFilesQuery,
  tables: readonly string[],
): string[] {
  const keyed = tables.map((path) => ({ path, key: keyOf(path) }));
  const pick = (fits: (key: readonly string[]) => boolean) =>
    keyed.filter(({ key }) => fits(key)).map(({ path }) => path);
  for (const config of configs) {
    for (const place of placesOf(config, split)) {
      const found = pick((key) => place.every((part, i) => key[i] === part) && isLast(place, key));
      if (found.length > 0) return found;
    }
  }
  const alone = pick(([first, ...more]) =>
    isSplit(first, split) && (more.length === 0 || configs.includes("default"))
  );
  const inConfigs = keyed.filter(({ key }) => key.length >= 2 && isSplit(key[1], split));
  if (labelled && alone.length === 0) {
    const [shared, ...others] = new Set(inConfigs.map(({ key }) => key[0]));
    return shared !== undefined && others.length === 0 ? inConfigs.map(({ path }) => path) : [];
  }
  // files of all languages are one language's only where no language has files of its own
  return labelled || inConfigs.length === 0 || configs.includes("default") ? alone : [];
}

function isSplit(part: string, split: string): boolean {
  // the hub converts no more than the begin of large data sets to Parquet
  return part === split || part === `partial-${split}`;
}

/** Where a configuration's split may lie, the best place first. */
function placesOf(config: string, split: string): string[][] {
  const pairs = [[config, split], [config, `partial-${split}`], [split, config]];
  const joined = pairs.flatMap(([a, b]) => [`${a}-${b}`, `${a}_${b}`, `${a}.${b}`]);
  return [
    ...pairs,
    ...joined.map((name) => [name]),
    ...joined.map((name) => [config, name]),
    // a file of the language alone is its training split
    ...(split === "train" ? [[config]] : []),
  ];
}

/** Files of any name may lie below configuration and split, but not below one of them alone. */
function isLast(place: readonly string[], key: readonly string[]): boolean {
  return key.length === place.length || (place.length === 2 && key.length === 3);
}

/** The parts of a path that tell configuration and split: without `data/`, numbers, the ending. */
function keyOf(path: string): string[] {
  const parts = path.replace(TABLE, "").replace(SHARD, "").split("/");
  if (parts[0] === "data") parts.shift();
  const last = parts.at(-1);
  if (last !== undefined && parts.length > 1 && /^(?:part[-.])?\d+$/.test(last)) parts.pop();
  else if (last !== undefined) parts[parts.length - 1] = last.replace(NUMBER, "") || last;
  return parts;
}

/** Of the same rows in several formats, the first is read; a folder of one's own has but one. */
function ofOneFormat(paths: readonly string[], { formats, where }: DataFilesQuery): string[] {
  const there = ROW_EXTENSIONS.map((ending) => paths.filter((path) => path.endsWith(`.${ending}`)))
    .filter((ofFormat) => ofFormat.length > 0);
  if (formats === "one" && there.length > 1) {
    throw new InputError(
      `${where} has ${there.map(([path]) => path).join(" and ")} for one language, expected one ` +
        `of them; move the others away.`,
    );
  }
  return there[0];
}

function checkShards(paths: readonly string[], where: string): void {
  for (const path of paths) {
    const [, , total] = SHARD.exec(path.replace(TABLE, "")) ?? [];
    if (total === undefined || Number(total) === paths.length) continue;
    throw new InputError(
      `${where} has ${paths.length} of the ${Number(total)} files that ${path} is one of; fetch ` +
        `the others.`,
    );
  }
}

function notFound(
  { paths, declared, configs, split, where }: DataFilesQuery,
  tables: readonly string[],
): InputError {
  const packed = paths.find((path) => PACKED.test(path));
  if (tables.length === 0 && packed) {
    return new InputError(
      `${where} has its rows packed, as ${packed}, expected Parquet, JSON lines, CSV or text; ` +
        `unpack them into a folder and name that.`,
    );
  }
  const names = declared.length > 0
    ? declared.map(({ name, dataFiles }) =>
      [name, ...dataFiles.map(({ split }) => split ?? "train")].join(":")
    )
    : [...new Set(tables.map((path) => keyOf(path).join("/")))];
  const shown = names.slice(0, MOST_NAMED).join(", ") + (names.length > MOST_NAMED ? ", …" : "");
  return new InputError(
    `${where} has no rows for ${configs[0]} in the split ${JSON.stringify(split)}, found ` +
      `${shown || "no file of rows"}; name one that is there as name:config:split.`,
  );
}
