/** The features that a step works with: those of a file, or those that identify finds. */
import { join, resolve } from "node:path";
import { remark } from "../cli/output.ts";
import { isFile } from "../data/file_tree.ts";
import { sha256File } from "../data/files.ts";
import { readLapeFile } from "../data/lape_files.ts";
import type { LapeResult } from "../lape/lape_json.ts";
import type { ModelOptions, RunOptions } from "../session/options.ts";
import type { UnitKind } from "../subject/subject.ts";
import { identify } from "./identify.ts";
import { identifyCommand } from "./options.ts";

/** Help of the option that every step after `identify` has. */
export const LAPE_RESULT_PATH = [
  "--lape-result-path <file>",
  "lape.json of identify, by its path or within <out-dir>, or a published lape_all.pt (default: <out-dir>/lape.json, " +
  "<out-dir>/neurons/lape.json for neurons; made by identify where it is missing)",
] as const;

/** What a step is told of the features. */
export interface LapeOptions extends Pick<ModelOptions, "model" | "saeModel" | "localSaeDir"> {
  readonly lapeResultPath?: string;
}

/** Features of languages and where they come from. */
export interface IdentifiedFeatures {
  readonly result: LapeResult;
  readonly path: string;
  /** Of the file, for run.json. */
  readonly sha256: string;
}

/**
 * Reads the features that the options name. Without a name: those in the output folder; without
 * those, identify finds them first, with its own defaults.
 *
 * @throws InputError for a file that cannot be used
 */
export async function identifiedFeatures(
  options: LapeOptions & RunOptions,
  kind: UnitKind,
): Promise<IdentifiedFeatures> {
  const { lapeResultPath, outDir } = options;
  const path = lapeResultPath === undefined
    ? await usualFeatures(options, kind)
    : await namedFeatures(lapeResultPath, outDir);
  return { result: await readLapeFile(path), path, sha256: await sha256File(path) };
}

/** A file as it is named; if there is none, within the output folder, where identify writes. */
async function namedFeatures(path: string, outDir: string): Promise<string> {
  const within = join(outDir, path);
  return !await isFile(path) && await isFile(within) ? within : path;
}

async function usualFeatures(options: LapeOptions & RunOptions, kind: UnitKind): Promise<string> {
  const path = resolve(join(options.outDir, kind === "neurons" ? "neurons" : "", "lape.json"));
  if (await isFile(path)) return path;
  remark(`There is no ${path} yet: identify makes it first.`);
  const command = identifyCommand().parse(
    ["--algorithm", kind === "neurons" ? "lape" : "sae-lape"],
    {
      from: "user",
    },
  );
  const { model, saeModel, localSaeDir, ...run } = options;
  const { outDir, blockTokens, batchSize, memoryBudget, kernels, compat } = run;
  const { path: made } = await identify({
    ...command.opts(),
    ...{ model, saeModel, localSaeDir },
    ...{ outDir, blockTokens, batchSize, memoryBudget, kernels, compat },
  }, false);
  return made;
}
