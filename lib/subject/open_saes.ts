/** SAEs for the hookpoints of a model, from folders or a hub, in the files of any family. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type FileTree, openFileTree } from "../data/file_tree.ts";
import { readJson } from "../data/files.ts";
import { openSafetensorsFile } from "../data/safetensors_files.ts";
import type { OpenTensors } from "../data/opened_tensors.ts";
import { openNpzFile } from "../data/npz_files.ts";
import { InputError } from "../formats/input_error.ts";
import { allHookpoints, type Hookpoint, resolveHookpoints } from "../nn/hookpoints.ts";
import { findSaes, type FoundSae, openSae, saeHookpoint } from "../sae/families.ts";
import type { Sae } from "../sae/sae.ts";
import { type Access, type FileHashes, hashFiles } from "./access.ts";

/** An SAE at its hookpoint. */
export interface OpenSae {
  readonly hookpoint: Hookpoint;
  readonly sae: Sae;
}

/** SAEs whose weights lie in files. */
export interface OpenSaes extends Disposable {
  readonly name: string;
  /** In the order of the forward pass. */
  readonly saes: readonly OpenSae[];
  readonly hashes: FileHashes;
}

/** The embedded SAEs. */
export const EMBEDDED_SAES = fileURLToPath(new URL("../../assets/demo/sae/", import.meta.url));

/** An SAE that is known by its files' names, and the hookpoint it is for. */
interface Candidate {
  readonly tree: FileTree;
  readonly found: FoundSae;
  readonly hookpoint: string;
}

/** The files of the SAE of a hookpoint. */
export interface ChosenSae {
  readonly tree: FileTree;
  readonly found: FoundSae;
  readonly hookpoint: Hookpoint;
}

/**
 * Opens the SAEs of some hookpoints; no encoders are read yet.
 *
 * @param sources each a folder, or `owner/name` (or a folder of it) on the hub, that holds SAEs; or
 *   `hookpoint=` one of these that holds a single SAE
 * @param patterns hookpoints, braces and globs; all that have an SAE if there are none
 * @param layers of the model
 * @throws InputError for anything that is missing, malformed, ambiguous or not supported
 */
export async function openSaes(
  sources: readonly string[],
  patterns: readonly string[],
  layers: number,
  access: Access,
): Promise<OpenSaes> {
  const names = sources.map((source) => source === EMBEDDED_SAES ? "embedded" : nameOf(source));
  using owned = new DisposableStack();
  const saes: OpenSae[] = [];
  const hashes: Record<string, string> = {};
  for (const { tree, found, hookpoint } of await chooseSaes(sources, patterns, layers, access)) {
    const folder = await tree.local(found.files);
    saes.push({ hookpoint, sae: await openFound(tree, found, folder, owned) });
    const below = found.files.map((path) => path.slice(found.folder.length).replace(/^\//, ""));
    const inside = join(folder, found.folder);
    Object.assign(hashes, await hashFiles(access, inside, below, `${hookpoint.name}/`));
  }
  const kept = owned.move();
  return {
    name: names.join(", "),
    saes,
    hashes,
    [Symbol.dispose]: () => kept[Symbol.dispose](),
  };
}

/**
 * Finds the SAEs that {@linkcode openSaes} opens, in the order of the forward pass; of their files,
 * configs alone are read.
 */
export async function chooseSaes(
  sources: readonly string[],
  patterns: readonly string[],
  layers: number,
  access: Access,
): Promise<ChosenSae[]> {
  const candidates: Candidate[] = [];
  for (const source of sources) candidates.push(...await candidatesOf(source, access));
  return chooseHookpoints(candidates, patterns, layers, sources.join(", "))
    .map((hookpoint) => ({ ...onlyOne(candidates, hookpoint), hookpoint }));
}

/** Splits `hookpoint=source`. */
function parseSource(source: string): { hookpoint?: string; place: string } {
  const [, hookpoint, place] = /^(?:model\.)?(layers\.\d+(?:\.mlp)?)=(.+)$/.exec(source) ?? [];
  return hookpoint ? { hookpoint, place } : { place: source };
}

function nameOf(source: string): string {
  const { place } = parseSource(source);
  return place.replace(/\/$/, "").split("/").slice(-2).join("/");
}

async function candidatesOf(source: string, access: Access): Promise<Candidate[]> {
  const { hookpoint, place } = parseSource(source);
  const tree = await openFileTree(place, "model", access.hub);
  const found = findSaes(tree.paths);
  if (hookpoint !== undefined) {
    if (found.length === 1) return [{ tree, found: found[0], hookpoint }];
    throw new InputError(
      `${place} holds ${found.length} SAEs, expected one for ${hookpoint}: ` +
        `${found.slice(0, 8).map(({ folder }) => `${place}/${folder}`).join(", ") || "none"}.`,
    );
  }
  if (found.length === 0) {
    throw new InputError(
      `${place} has no SAE: expected folders with cfg.json and sae.safetensors (sparsify; named after ` +
        `hookpoints such as layers.0.mlp), cfg.json and sae_weights.safetensors (SAELens), params.npz ` +
        `(Gemma Scope), or hyperparams.json and checkpoints/final.safetensors (Llama Scope).`,
    );
  }
  return await knownHookpoints(tree, found);
}

/** The SAEs whose hookpoint can be told; what is wrong with the others is said if none is left. */
async function knownHookpoints(
  tree: FileTree,
  found: readonly FoundSae[],
): Promise<Candidate[]> {
  const configs = found.flatMap(({ configFile }) => configFile ?? []);
  const folder = configs.length > 0 ? await tree.local(configs) : tree.name;
  const candidates: Candidate[] = [];
  let refusal: InputError | undefined;
  for (const sae of found) {
    const config = sae.configFile && await readJson(join(folder, sae.configFile));
    try {
      const hookpoint = saeHookpoint(sae.family, config, join(tree.name, sae.folder));
      candidates.push({ tree, found: sae, hookpoint });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      refusal ??= error;
    }
  }
  if (candidates.length === 0 && refusal) throw refusal;
  return candidates;
}

function chooseHookpoints(
  candidates: readonly Candidate[],
  patterns: readonly string[],
  layers: number,
  where: string,
): Hookpoint[] {
  const there = new Set(candidates.map(({ hookpoint }) => hookpoint));
  const withSae = allHookpoints(layers).filter(({ name }) => there.has(name));
  if (patterns.length === 0) {
    if (withSae.length > 0) return withSae;
    throw new InputError(
      `${where} has no SAE for this model: it has ${
        [...there].slice(0, 8).join(", ")
      }, but the model has ` +
        `${layers} layers; expected names such as layers.0.mlp.`,
    );
  }
  const chosen = resolveHookpoints(patterns, layers);
  const without = chosen.find(({ name }) => !there.has(name));
  if (without) {
    const found = withSae.map(({ name }) => name).join(", ") || "none";
    throw new InputError(`${where} has no SAE for hookpoint ${without.name}; it has: ${found}.`);
  }
  return chosen;
}

function onlyOne(candidates: readonly Candidate[], { name }: Hookpoint): Candidate {
  const fitting = candidates.filter(({ hookpoint }) => hookpoint === name);
  if (fitting.length === 1) return fitting[0];
  const places = fitting.map(({ tree, found }) => join(tree.name, found.folder));
  throw new InputError(
    `There are ${fitting.length} SAEs for ${name}: ${places.slice(0, 6).join(", ")}` +
      `${places.length > 6 ? ", …" : ""}; name the folder of one, such as --sae-model ${
        places[0]
      }.`,
  );
}

async function openFound(
  tree: FileTree,
  { family, folder: inside, configFile, tensorFile }: FoundSae,
  folder: string,
  owned: DisposableStack,
): Promise<Sae> {
  const path = join(folder, tensorFile);
  const tensors: OpenTensors = tensorFile.endsWith(".npz")
    ? await openNpzFile(path)
    : await openSafetensorsFile(path);
  owned.use(tensors);
  const config = configFile && await readJson(join(folder, configFile));
  return await openSae(family, config, tensors, join(tree.name, inside));
}
