/** diffmean.safetensors: a language's mean activations less those of other languages, on disk. */
import { InputError } from "../formats/input_error.ts";
import { encodeSafetensors, fromBytes } from "../formats/safetensors.ts";
import type { DiffMean } from "../lape/diffmean.ts";
import { readBytes, writeAtomic } from "./files.ts";

/** Beside lape.json. */
export const DIFFMEAN_FILE = "diffmean.safetensors";

/**
 * Writes `mean` `[languages, layers, width]` and `centre` `[layers, width]`, f32, with the languages
 * (a JSON list) and the layers (`0,1,2`) in the metadata.
 *
 * @throws InputError when the path cannot be written
 */
export async function writeDiffMean(path: string, diff: DiffMean): Promise<void> {
  const { languages, layers, width, mean, centre } = diff;
  const shape = [languages.length, layers.length, width];
  await writeAtomic(
    path,
    encodeSafetensors({
      mean: { dtype: "F32", shape, data: mean },
      centre: { dtype: "F32", shape: shape.slice(1), data: centre },
    }, {
      languages: JSON.stringify(languages),
      layers: layers.join(","),
    }),
  );
}

/**
 * Reads what {@linkcode writeDiffMean} wrote.
 *
 * @throws InputError when it is missing or not such a file
 */
export async function readDiffMean(path: string): Promise<DiffMean> {
  const file = fromBytes(await readBytes(path), path);
  const { dtype, shape } = file.info("mean");
  if (dtype !== "F32" || shape.length !== 3) {
    throw bad(path, `mean is ${dtype} [${shape}], expected F32 [languages, layers, width]`);
  }
  const languages = namesIn(file.metadata.languages);
  if (languages?.length !== shape[0]) {
    throw bad(path, `its metadata does not name the ${shape[0]} languages`);
  }
  const layers = (file.metadata.layers ?? "").split(",").filter(Boolean).map(Number);
  if (layers.length !== shape[1] || !layers.every((layer) => Number.isSafeInteger(layer))) {
    throw bad(path, `its metadata does not name the ${shape[1]} layers`);
  }
  const centred = file.info("centre");
  if (centred.dtype !== "F32" || `${centred.shape}` !== `${shape.slice(1)}`) {
    throw bad(path, `centre is ${centred.dtype} [${centred.shape}], expected F32 [layers, width]`);
  }
  const mean = new Float32Array((await file.read("mean")).buffer);
  const centre = new Float32Array((await file.read("centre")).buffer);
  if (![mean, centre].every((values) => values.every(Number.isFinite))) {
    throw bad(path, "it holds a value that is not finite");
  }
  return { languages, layers, width: shape[2], mean, centre };
}

/** Names in a JSON list; undefined of anything else. */
function namesIn(json: string | undefined): string[] | undefined {
  try {
    const names = JSON.parse(json ?? "");
    const valid = Array.isArray(names) && names.every((name) => typeof name === "string");
    return valid ? names : undefined;
  } catch {
    return undefined;
  }
}

function bad(path: string, what: string): InputError {
  return new InputError(`${path} holds no DiffMean: ${what}; write it again with identify.`);
}
