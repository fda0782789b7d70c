/** What is looked into: a model, its tokenizer, and the SAEs or neurons at its hookpoints. */
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  listFolder,
  openSafetensors,
  openSafetensorsFolder,
  readJson,
  readText,
  sha256File,
} from "../data/files.ts";
import { InputError } from "../formats/input_error.ts";
import type { TensorSource } from "../formats/safetensors.ts";
import { loadTokenizer, type Tokenizer } from "../formats/tokenizer.ts";
import { type LlamaConfig, parseLlamaConfig } from "../nn/config.ts";
import { allHookpoints, type Hookpoint, resolveHookpoints } from "../nn/hookpoints.ts";
import { openSparsifySae } from "../sae/sparsify.ts";
import type { Target } from "./counter.ts";

/** The embedded model and SAEs. */
const EMBEDDED = fileURLToPath(new URL("../../assets/demo/", import.meta.url));

/** What fires: latents of SAEs, or neurons of the MLPs. */
export type UnitKind = "latents" | "neurons";

export interface SubjectOptions {
  /** Folder of the model; the embedded one if not given. */
  readonly model?: string;
  /** Folder with one SAE folder per hookpoint; the embedded ones if neither this nor `model` is given. */
  readonly saes?: string;
  /** Hookpoints, braces and globs; all that have an SAE (or neurons) if not given. */
  readonly hookpoints?: readonly string[];
}

/** SHA-256 of every file that decides what is counted, by its name in its folder. */
export type FileHashes = Readonly<Record<string, string>>;

export interface Subject extends Disposable {
  readonly modelName: string;
  /** Absent for neurons. */
  readonly saeName: string | undefined;
  readonly kind: UnitKind;
  readonly config: LlamaConfig;
  readonly tensors: TensorSource;
  readonly tokenizer: Tokenizer;
  readonly targets: readonly Target[];
  readonly hashes: { readonly model: FileHashes; readonly saes: FileHashes };
}

/**
 * Opens a model and what is counted in it; no weights are read yet.
 *
 * @throws InputError for anything that is missing, malformed or not supported
 */
export async function openSubject(options: SubjectOptions): Promise<Subject> {
  const folder = options.model ?? join(EMBEDDED, "model");
  using owned = new DisposableStack();
  const config = parseLlamaConfig(
    await readJson(join(folder, "config.json")),
    join(folder, "config.json"),
  );
  const tensors = owned.use(await openSafetensorsFolder(folder));
  const tokenizer = await openTokenizer(folder, config);
  const kind = kindOf(options, config);
  const saeFolder = kind === "latents" ? saeFolderOf(options) : undefined;
  const hookpoints = await chooseHookpoints(options, config, saeFolder);
  const targets: Target[] = [];
  for (const hookpoint of hookpoints) {
    targets.push(saeFolder ? await openSaeTarget(saeFolder, hookpoint, owned) : { hookpoint });
  }
  const hashes = {
    model: await hashFiles(folder, modelFiles(await listFolder(folder))),
    saes: saeFolder ? await hashFiles(saeFolder, hookpoints.flatMap(saeFiles)) : {},
  };
  const kept = owned.move();
  return {
    modelName: options.model ? basename(options.model) : "embedded",
    saeName: saeFolder && (options.saes ? basename(options.saes) : "embedded"),
    kind,
    config,
    tensors,
    tokenizer,
    targets,
    hashes,
    [Symbol.dispose]: () => kept[Symbol.dispose](),
  };
}

async function openTokenizer(folder: string, { bosTokenId }: LlamaConfig): Promise<Tokenizer> {
  const path = join(folder, "tokenizer.json");
  const files = await listFolder(folder);
  const hasConfig = files.includes("tokenizer_config.json");
  const config = hasConfig ? await readText(join(folder, "tokenizer_config.json")) : undefined;
  return loadTokenizer(await readText(path), config, path, { bosId: bosTokenId });
}

/** Neurons when the named hookpoints are act_fn outputs; mixtures are refused where they are counted. */
function kindOf({ hookpoints }: SubjectOptions, { layers }: LlamaConfig): UnitKind {
  if (!hookpoints || hookpoints.length === 0) return "latents";
  return resolveHookpoints(hookpoints, layers)[0].site === "act_fn" ? "neurons" : "latents";
}

function saeFolderOf({ model, saes }: SubjectOptions): string {
  if (saes) return saes;
  if (!model) return join(EMBEDDED, "sae");
  throw new InputError(
    `No SAEs are named for the model ${model}: give their folder by --sae-model, or count its neurons by ` +
      `--layer model.layers.{0..N}.mlp.act_fn.`,
  );
}

async function chooseHookpoints(
  { hookpoints: patterns = [] }: SubjectOptions,
  { layers }: LlamaConfig,
  saeFolder: string | undefined,
): Promise<Hookpoint[]> {
  if (!saeFolder) return resolveHookpoints(patterns, layers);
  const there = new Set(await listFolder(saeFolder));
  const withSae = allHookpoints(layers).filter(({ name }) => there.has(name));
  const found = withSae.map(({ name }) => name).join(", ") || "none";
  if (patterns.length === 0) {
    if (withSae.length > 0) return withSae;
    throw new InputError(
      `${saeFolder} has no SAE for this model: expected folders named after its hookpoints, such as ` +
        `layers.0.mlp, each with cfg.json and sae.safetensors.`,
    );
  }
  const chosen = resolveHookpoints(patterns, layers);
  const without = chosen.find(({ name }) => !there.has(name) && !name.endsWith(".act_fn"));
  if (without) {
    throw new InputError(
      `${saeFolder} has no SAE for hookpoint ${without.name}; it has: ${found}.`,
    );
  }
  return chosen;
}

async function openSaeTarget(
  saeFolder: string,
  hookpoint: Hookpoint,
  owned: DisposableStack,
): Promise<Target> {
  if (hookpoint.site === "act_fn") return { hookpoint };
  const folder = join(saeFolder, hookpoint.name);
  const tensors = owned.use(await openSafetensors(join(folder, "sae.safetensors")));
  return {
    hookpoint,
    sae: await openSparsifySae(await readJson(join(folder, "cfg.json")), tensors, folder),
  };
}

function modelFiles(names: readonly string[]): string[] {
  const deciding =
    /^(config|tokenizer|tokenizer_config)\.json$|^model.*\.safetensors(\.index\.json)?$/;
  return names.filter((name) => deciding.test(name));
}

function saeFiles({ name, site }: Hookpoint): string[] {
  return site === "act_fn" ? [] : [`${name}/cfg.json`, `${name}/sae.safetensors`];
}

async function hashFiles(folder: string, names: readonly string[]): Promise<FileHashes> {
  const hashes: Record<string, string> = {};
  for (const name of names) hashes[name] = await sha256File(join(folder, name));
  return hashes;
}
