/**
 * lape_all.pt: an identification as the original publishes it, torch.save of a dict (spec 6.4). It is
 * what our lape.json holds under `compat: "paper"`, with tensors where that has lists.
 */
import { type Dtype, toFloat32 } from "../formats/dtype.ts";
import { InputError } from "../formats/input_error.ts";
import type { TorchValue } from "../formats/torch_file.ts";
import { TorchTensor } from "../formats/torch_tensor.ts";
import { fromLapeJson, type LapeResult } from "./lape_json.ts";

/** Keys that are read; `over_zero_*` and `sae_features` are not. */
const KEYS = [
  "final_indice",
  "final_indice_global_max_active",
  "final_indice_global_min_active",
  "final_indice_global_avg_active",
  "sorted_lang",
  "num_examples",
  "num_tokens",
  "features_info",
] as const;

/** Most numbers that are read. The paper's 1,043 candidates, if all languages owned all, take 94,000. */
const MAX_NUMBERS = 5_000_000;

/**
 * The identification that a file of the original's identify step holds: languages without features
 * (quirk 9), the order of the probabilities (quirk 10) and the scalar of a single feature are brought
 * to the form of {@link fromLapeJson}.
 *
 * @param value what readTorchFile gives
 * @param where names the file in messages
 * @throws InputError when a key is missing or of the wrong type, the lists do not fit together, or
 *   the file is damaged
 */
export async function fromLapePt(value: TorchValue, where: string): Promise<LapeResult> {
  const missing = value instanceof Map ? KEYS.find((key) => !value.has(key)) : KEYS[0];
  if (!(value instanceof Map) || missing !== undefined) {
    throw new InputError(
      `${where} has no ${missing}, expected the keys of a lape_all.pt (${KEYS.join(", ")}); ` +
        `name a file of the identify step.`,
    );
  }
  const entries: [string, unknown][] = [["compat", "paper"]];
  const reader = new JsonReader(where);
  for (const key of KEYS) entries.push([key, await reader.read(value.get(key) ?? null)]);
  return fromLapeJson(Object.fromEntries(entries), where);
}

/** Turns values into JSON's: tensors into lists (or a number), dicts into objects. */
class JsonReader {
  #numbers = 0;

  constructor(readonly where: string) {}

  async read(value: TorchValue): Promise<unknown> {
    if (value instanceof TorchTensor) return await this.#tensor(value);
    if (Array.isArray(value)) {
      const list: unknown[] = [];
      for (const inner of value) list.push(await this.read(inner));
      return list;
    }
    if (value instanceof Map) {
      const entries: [string, unknown][] = [];
      for (const [key, inner] of value) entries.push([String(key), await this.read(inner)]);
      return Object.fromEntries(entries);
    }
    return value;
  }

  /** A scalar as a number, a vector as a list. */
  async #tensor(tensor: TorchTensor): Promise<number | null | (number | null)[]> {
    const { dtype, shape } = tensor;
    const count = shape[0] ?? 1;
    this.#numbers += count;
    if (shape.length > 1 || this.#numbers > MAX_NUMBERS) {
      throw new InputError(
        `${this.where} has a tensor of shape [${shape}] where a lape_all.pt has vectors; ` +
          `check that this is the right file.`,
      );
    }
    // JSON, and so lape.json, has neither NaN nor the infinities
    const numbers = numbersOf(await tensor.read(), dtype, this.where)
      .map((number) => Number.isFinite(number) ? number : null);
    return shape.length === 0 ? numbers[0] : numbers;
  }
}

/** Elements as numbers; int64 beyond 2^53 are rounded, and then refused as indices or counts. */
function numbersOf(bytes: Uint8Array<ArrayBuffer>, dtype: Dtype, where: string): number[] {
  switch (dtype) {
    case "I64":
      return Array.from(new BigInt64Array(bytes.slice().buffer), Number);
    case "I32":
      return [...new Int32Array(bytes.slice().buffer)];
    case "F64":
      return [...new Float64Array(bytes.slice().buffer)];
    default:
      return [...toFloat32(bytes, dtype, `a tensor of ${where}`)];
  }
}
