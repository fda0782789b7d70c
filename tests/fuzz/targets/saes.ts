/** SAEs of every family: configs and names and shapes of tensors that do not fit. */
import { DTYPE_BYTES, isDtype } from "../../../lib/formats/dtype.ts";
import {
  columnRange,
  rowRange,
  type TensorInfo,
  tensorInfo,
  type TensorSource,
} from "../../../lib/formats/tensor_source.ts";
import { type Family, findSaes, openSae, saeHookpoint } from "../../../lib/sae/families.ts";
import { openNpzFile } from "../../../lib/data/npz_files.ts";
import { openSafetensorsFile } from "../../../lib/data/safetensors_files.ts";
import { filesUnder } from "../../support/folders.ts";
import { projectPath } from "../../support/tensors.ts";
import type { Bytes } from "../bytes.ts";
import { mutateJson } from "../json.ts";
import { jsonFiles, jsonOf } from "../seeds.ts";
import { type Target, WHERE } from "../target.ts";

/** An SAE as an input says it: which tensors its file has, and what its config says. */
interface SaeInput {
  readonly family: Family;
  readonly folder: string;
  readonly config?: unknown;
  readonly tensors: Readonly<Record<string, { dtype: string; shape: number[] }>>;
}

let seeds: Promise<Bytes[]> | undefined;

/** SAEs. */
export const saes: Target = {
  name: "saes",
  share: 8,
  seeds: () => seeds ??= seedInputs(),
  mutate: mutateJson,
  async read(bytes) {
    const input = jsonOf(bytes) as Partial<SaeInput> | undefined;
    const family = FAMILIES.find((family) => family === input?.family);
    const tensors = madeUp(input?.tensors);
    if (!family || !tensors || typeof input?.folder !== "string") return;
    const where = `${WHERE}/${input.folder}`;
    saeHookpoint(family, input.config, where);
    const sae = await openSae(family, input.config, tensors, where);
    await sae.encoder.read(0, Math.min(2, sae.encoder.rows));
    await sae.decoder?.rows([0, sae.latents - 1]);
  },
};

const FAMILIES: readonly Family[] = ["sparsify", "saelens", "gemma_scope", "llama_scope"];
/** Bytes of all tensors of an input: more would only take time. */
const MOST_BYTES = 1 << 20;

/** The fixtures' configs, names and shapes. */
async function seedInputs(): Promise<Bytes[]> {
  const root = projectPath("tests/fixtures/saes");
  const inputs: SaeInput[] = [];
  for (const { family, folder, configFile, tensorFile } of findSaes(await filesUnder(root))) {
    const path = `${root}/${tensorFile}`;
    using file = await (path.endsWith(".npz") ? openNpzFile : openSafetensorsFile)(path);
    const tensors = Object.fromEntries(
      file.names().map((name) => {
        const { dtype, shape } = file.info(name);
        return [name, { dtype, shape: [...shape] }];
      }),
    );
    const config = configFile && JSON.parse(Deno.readTextFileSync(`${root}/${configFile}`));
    inputs.push({ family, folder, config, tensors });
  }
  return jsonFiles(...inputs);
}

/** Tensors of these shapes, as a reader of files would hand them out; undefined where none would. */
function madeUp(described: unknown): TensorSource | undefined {
  const infos = new Map<string, TensorInfo>();
  let left = MOST_BYTES;
  for (const [name, value] of Object.entries(described ?? {})) {
    const { dtype, shape } = (value ?? {}) as { dtype?: unknown; shape?: unknown };
    const isShape = Array.isArray(shape) &&
      shape.every((size) => Number.isSafeInteger(size) && size >= 0);
    if (!isDtype(dtype) || !isShape) return undefined;
    const end = shape.includes(0)
      ? 0
      : shape.reduce((bytes, size) => bytes * size, DTYPE_BYTES[dtype]);
    if ((left -= end) < 0) return undefined;
    infos.set(name, { dtype, shape, begin: 0, end });
  }
  // deno-lint-ignore require-await
  const bytes = async (length: number) => new Uint8Array(length).fill(0x3c);
  return {
    metadata: Object.create(null),
    names: () => [...infos.keys()],
    info: (name) => tensorInfo(infos, name, WHERE),
    read(name, rowStart, rowEnd) {
      const { begin, end } = rowRange(name, tensorInfo(infos, name, WHERE), rowStart, rowEnd);
      return bytes(end - begin);
    },
    readColumns(name, from, to) {
      const range = columnRange(name, tensorInfo(infos, name, WHERE), from, to);
      return bytes(range.rows * range.bytes);
    },
  };
}
