/**
 * The token matrix of a cache. By default it is stored once, in `latents/tokens.safetensors`, as
 * `tokens` int64 [rows, L], with the languages of its rows in the metadata; as published, every file
 * of a hookpoint repeats it.
 */
import { join } from "node:path";
import { z } from "zod";
import { isFile } from "../../data/file_tree.ts";
import { writeAtomic } from "../../data/files.ts";
import type { OpenTensors } from "../../data/opened_tensors.ts";
import { openSafetensorsFile } from "../../data/safetensors_files.ts";
import type { TokenRows } from "../../data/token_rows.ts";
import { InputError } from "../../formats/input_error.ts";
import { encodeSafetensorsHeader } from "../../formats/safetensors.ts";
import { tokenBytes } from "./entry_file.ts";

const TOKENS = "tokens";
const TOKENS_FILE = join("latents", "tokens.safetensors");
/** Key of the metadata with the rows' languages as JSON. */
const PARTS = "parts";
/** Key of the metadata with the identity of the activations that belong to the tokens. */
const IDENTITY = "identity";

/** A cache's token matrix. */
export interface CachedTokenRows extends TokenRows {
  /** Of the activations that belong to it; undefined where every file repeats the tokens. */
  readonly identity: string | undefined;
}

const Parts = z.array(
  z.object({ language: z.string().nullable(), rows: z.int().nonnegative() }),
);

/** Writes the token matrix of a run folder, and the identity of the activations on it. */
export async function writeTokens(
  folder: string,
  tokens: TokenRows,
  identity: string,
): Promise<void> {
  const { rows, contextLength, parts } = tokens;
  const languages = parts.map(({ language = null, rows }) => ({ language, rows }));
  const header = encodeSafetensorsHeader(
    { [TOKENS]: { dtype: "I64", shape: [rows, contextLength] } },
    { [PARTS]: JSON.stringify(languages), [IDENTITY]: identity },
  );
  await writeAtomic(
    join(folder, TOKENS_FILE),
    (async function* () {
      yield header;
      yield* tokenBytes(tokens);
    })(),
  );
}

/**
 * Opens the token matrix of a run folder: its own file, or the copy in one of these files.
 *
 * @throws InputError when there is none, or it is not as it should be
 */
export async function openTokens(
  folder: string,
  files: readonly string[],
): Promise<CachedTokenRows> {
  for (const path of [join(folder, TOKENS_FILE), ...files]) {
    if (!await isFile(path)) continue;
    using undo = new DisposableStack();
    const tensors = undo.use(await openSafetensorsFile(path));
    if (!tensors.names().includes(TOKENS)) continue;
    const tokens = new CachedTokens(tensors, path);
    undo.move();
    return tokens;
  }
  throw new InputError(
    `${folder} has activations but no tokens: expected ${TOKENS_FILE} or a tensor ${TOKENS} in the ` +
      `files of a hookpoint; cache them anew.`,
  );
}

class CachedTokens implements CachedTokenRows {
  readonly identity: string | undefined;
  readonly rows: number;
  readonly contextLength: number;
  readonly parts: TokenRows["parts"];
  readonly leftOver = 0;
  readonly sha256 = {};
  readonly #tensors: OpenTensors;

  constructor(tensors: OpenTensors, path: string) {
    const { dtype, shape } = tensors.info(TOKENS);
    const [rows, contextLength] = shape;
    if (dtype !== "I64" || shape.length !== 2 || rows * contextLength === 0) {
      throw new InputError(
        `${path} has ${dtype} [${shape}] in ${TOKENS}, expected I64 [rows, tokens of a row]; cache ` +
          `the activations anew.`,
      );
    }
    this.#tensors = tensors;
    this.rows = rows;
    this.contextLength = contextLength;
    this.identity = tensors.metadata[IDENTITY];
    this.parts = partsOf(tensors.metadata[PARTS], rows, path);
  }

  async read(rows: ArrayLike<number>): Promise<Uint32Array<ArrayBuffer>> {
    const ids = new Uint32Array(rows.length * this.contextLength);
    for (let i = 0; i < rows.length; i++) {
      const bytes = await this.#tensors.read(TOKENS, rows[i], rows[i] + 1);
      const words = new Uint32Array(bytes.buffer);
      const at = i * this.contextLength;
      for (let token = 0; token < this.contextLength; token++) ids[at + token] = words[2 * token];
    }
    return ids;
  }

  [Symbol.dispose](): void {
    this.#tensors[Symbol.dispose]();
  }
}

/** Languages of the rows; published files do not tell them. */
function partsOf(json: string | undefined, rows: number, path: string): TokenRows["parts"] {
  if (json === undefined) return [{ language: undefined, rows }];
  const { data } = Parts.safeParse(parsed(json));
  if (data && data.reduce((sum, part) => sum + part.rows, 0) === rows) {
    return data.map(({ language, rows }) => ({ language: language ?? undefined, rows }));
  }
  throw new InputError(
    `${path} does not say the languages of its ${rows} rows as it should; cache the activations anew.`,
  );
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
