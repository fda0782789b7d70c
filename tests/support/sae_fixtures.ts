/** The SAEs of tests/fixtures/saes, of every family, with what they compute. */
import { openNpzFile } from "../../lib/data/npz_files.ts";
import { readJson } from "../../lib/data/files.ts";
import { openSafetensorsFile } from "../../lib/data/safetensors_files.ts";
import { findSaes, type FoundSae, openSae } from "../../lib/sae/families.ts";
import type { Sae } from "../../lib/sae/sae.ts";
import { Fixture, projectPath } from "./tensors.ts";

const ROOT = "tests/fixtures/saes";

/** An SAE and what its authors' formulas say of some activation vectors (make_saes.py). */
export interface SaeFixture extends Disposable {
  readonly sae: Sae;
  /** [tokens, inputSize] */
  readonly x: Float32Array<ArrayBuffer>;
  /** [tokens, latents]; no value is close to a threshold or to the edge of the k largest */
  readonly features: Float32Array<ArrayBuffer>;
  /** [tokens, inputSize] */
  readonly reconstruction: Float32Array<ArrayBuffer>;
}

/** Every SAE that lies there, in a fixed order. */
export function saeFixtures(): FoundSae[] {
  return findSaes([...filesBelow(projectPath(ROOT), "")]);
}

/** Opens one of them. */
export async function openSaeFixture(found: FoundSae): Promise<SaeFixture> {
  using owned = new DisposableStack();
  const root = projectPath(ROOT);
  const open = found.tensorFile.endsWith(".npz") ? openNpzFile : openSafetensorsFile;
  const tensors = owned.use(await open(`${root}/${found.tensorFile}`));
  const config = found.configFile && await readJson(`${root}/${found.configFile}`);
  const sae = await openSae(found.family, config, tensors, found.folder);
  using expected = await Fixture.open(`${ROOT}/${found.folder}/expected.safetensors`);
  const [x, features, reconstruction] = [
    await expected.floats("x"),
    await expected.floats("features"),
    await expected.floats("reconstruction"),
  ];
  const kept = owned.move();
  return { sae, x, features, reconstruction, [Symbol.dispose]: () => kept.dispose() };
}

function* filesBelow(root: string, folder: string): Generator<string> {
  const entries = [...Deno.readDirSync(`${root}/${folder}`)];
  for (const { name, isDirectory } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (isDirectory) yield* filesBelow(root, `${folder}${name}/`);
    else yield folder + name;
  }
}
