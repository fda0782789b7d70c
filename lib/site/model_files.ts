/** The files of a model and its SAEs that a site carries, as they are stored. */
import { basename, join } from "node:path";
import { openFileTree } from "../data/file_tree.ts";
import { readJson } from "../data/files.ts";
import { parseLlamaConfig } from "../nn/config.ts";
import type { ModelOptions } from "../session/options.ts";
import type { Access } from "../subject/access.ts";
import { checkpointFiles, EMBEDDED_MODEL } from "../subject/open_model.ts";
import { chooseSaes, EMBEDDED_SAES } from "../subject/open_saes.ts";
import type { EngineFiles, SiteSae } from "./engine_files.ts";

/** A file of the site and where it comes from. */
export interface CopiedFile {
  readonly from: string;
  /** Below the root of the site. */
  readonly to: string;
}

/** What the site carries. */
export interface ModelFiles {
  readonly files: readonly CopiedFile[];
  readonly model: EngineFiles["model"];
  readonly saes: readonly SiteSae[];
}

/** The one file of weights that a browser is given; models in several are too large for it. */
const WEIGHTS = "model.safetensors";

/**
 * Finds the files.
 *
 * @param most bytes that a visitor may have to fetch
 * @returns a sentence on why a browser cannot run them, where it cannot
 * @throws InputError for a model or SAEs that cannot be used
 */
export async function modelFiles(
  options: ModelOptions,
  most: number,
  access: Access,
): Promise<ModelFiles | string> {
  const { model: name = EMBEDDED_MODEL } = options;
  if (name.endsWith(".gguf")) return "The model is a GGUF file, which this site does not run.";
  const tree = await openFileTree(name, "model", access.hub);
  const checkpoint = checkpointFiles(tree);
  if (!checkpoint || !checkpoint.weights.includes(WEIGHTS)) {
    return "The model's weights are not one safetensors file, so this site does not run it.";
  }
  const settings = [...checkpoint.settings, GENERATION].filter((path) => tree.paths.includes(path));
  const configFolder = await tree.local(settings);
  const configPath = join(configFolder, "config.json");
  const { layers } = parseLlamaConfig(await readJson(configPath), configPath);
  const chosen = await chooseSaes(saeSources(options), options.layer ?? [], layers, access);
  const sizes = [await tree.bytes([...settings, WEIGHTS])];
  for (const { tree, found } of chosen) sizes.push(await tree.bytes(found.files));
  const bytes = sizes.reduce((sum, { total }) => sum + total, 0);
  if (bytes > most) {
    return `The model and its SAEs are ${Math.ceil(bytes / 1e6)} MB, too much to fetch for a page.`;
  }
  const folder = await tree.local([...settings, WEIGHTS]);
  const files: CopiedFile[] = [...settings, WEIGHTS].map((path) => ({
    from: join(folder, path),
    to: `model/${path}`,
  }));
  const has = (path: string) => settings.includes(path) ? `model/${path}` : undefined;
  const saes: SiteSae[] = [];
  for (const { tree, found, hookpoint } of chosen) {
    if (found.tensorFile.endsWith(".npz")) {
      return "The SAEs are NumPy archives, which this site does not run.";
    }
    const local = await tree.local(found.files);
    const place = (path: string) => `saes/${hookpoint.name}/${basename(path)}`;
    files.push(...found.files.map((path) => ({ from: join(local, path), to: place(path) })));
    saes.push({
      hookpoint: hookpoint.name,
      family: found.family,
      config: found.configFile && place(found.configFile),
      tensors: place(found.tensorFile),
    });
  }
  const model = {
    name: name === EMBEDDED_MODEL ? "the embedded model" : tree.title,
    config: "model/config.json",
    generationConfig: has(GENERATION),
    tokenizer: "model/tokenizer.json",
    tokenizerConfig: has("tokenizer_config.json"),
    weights: `model/${WEIGHTS}`,
  };
  return { files, model, saes };
}

const GENERATION = "generation_config.json";

function saeSources({ model, saeModel, localSaeDir }: ModelOptions): readonly string[] {
  return localSaeDir ?? saeModel ?? (model === undefined ? [EMBEDDED_SAES] : []);
}
