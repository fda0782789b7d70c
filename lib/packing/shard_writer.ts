/** Shards of rows: each written whole or not at all, and once. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { Checkpoint } from "../data/checkpoint.ts";
import { listFolder, writeAtomic } from "../data/files.ts";
import { type IdType, TOKEN_INDEX, TOKEN_INDEX_FORMAT } from "../data/token_rows.ts";
import { INPUT_IDS } from "../data/token_lists.ts";
import { InputError } from "../formats/input_error.ts";
import { encodeSafetensors } from "../formats/safetensors.ts";
import { writeManifest } from "../data/manifest.ts";

/** A finished shard, and where its source goes on. */
export interface ShardPart {
  /** Name of the file; null where no row was filled. */
  readonly file: string | null;
  readonly language: string | null;
  readonly rows: number;
  readonly sha256: string | null;
  /** Rows of the source up to and with this shard, and texts in them. */
  readonly read: number;
  readonly texts: number;
  /** Text tokens that wait for the next shard of the source. */
  readonly waiting: readonly number[];
  /** Text tokens that the published program would drop here. */
  readonly dropped: number;
  /** True where the source ended. */
  readonly ended: boolean;
}

/** Rows of a shard that is to be written. */
export interface ShardRows {
  /** [rows, contextLength] */
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly contextLength: number;
}

const SHARD = /^pretokenized_[\w.-]+\.safetensors$/;
const CHECKPOINT = "pretokenized.part.jsonl";

/** Writes the shards of one folder. */
export class ShardWriter implements Disposable {
  readonly #parts: ShardPart[] = [];

  private constructor(
    readonly folder: string,
    readonly vocabularySize: number,
    readonly checkpoint: Checkpoint<ShardPart>,
  ) {}

  /**
   * Goes on where an earlier run of the same work stopped.
   *
   * @param folder claimed by this run
   * @param identity what decides the rows; shards of other work are not used
   * @param vocabularySize tokens that the model knows
   */
  static async open(
    folder: string,
    identity: unknown,
    vocabularySize: number,
  ): Promise<ShardWriter> {
    const checkpoint = await Checkpoint.open<ShardPart>(join(folder, CHECKPOINT), identity);
    return new ShardWriter(folder, vocabularySize, checkpoint);
  }

  /** All shards so far, in their order. */
  get parts(): readonly ShardPart[] {
    return this.#parts;
  }

  /** A shard that is there already; it counts as written now. */
  recall(name: string): ShardPart | undefined {
    const part = this.checkpoint.get(name);
    if (part) this.#parts.push(part);
    return part;
  }

  /**
   * Writes a shard.
   *
   * @throws InputError for a token that the model does not know, or a file that cannot be written
   */
  async write(
    name: string,
    { ids, contextLength }: ShardRows,
    about: Omit<ShardPart, "file" | "rows" | "sha256">,
  ): Promise<ShardPart> {
    this.#checkVocabulary(ids);
    const rows = ids.length / contextLength;
    const file = rows === 0 ? null : `pretokenized_${name}.safetensors`;
    let sha256: string | null = null;
    if (file !== null) {
      const dtype: IdType = this.vocabularySize <= 2 ** 16 ? "U16" : "I32";
      const data = dtype === "U16" ? Uint16Array.from(ids) : Int32Array.from(ids);
      const bytes = encodeSafetensors(
        { [INPUT_IDS]: { dtype, shape: [rows, contextLength], data } },
        { format: "pt" },
      );
      sha256 = createHash("sha256").update(bytes).digest("hex");
      await writeAtomic(join(this.folder, file), bytes);
    }
    const part = { ...about, file, rows, sha256 };
    await this.checkpoint.put(name, part);
    this.#parts.push(part);
    return part;
  }

  /**
   * Writes the index, which makes the folder whole; shards of other work go.
   *
   * @param about what is written into the index beside the shards
   */
  async finish(about: Readonly<Record<string, unknown>>): Promise<void> {
    const shards = this.#parts.flatMap(({ file, language, rows, sha256 }) =>
      file === null ? [] : [{ file, language, rows, sha256 }]
    );
    const kept = new Set(shards.map(({ file }) => file));
    for (const name of await listFolder(this.folder)) {
      if (SHARD.test(name) && !kept.has(name)) await Deno.remove(join(this.folder, name));
    }
    await writeManifest(join(this.folder, TOKEN_INDEX), {
      format: TOKEN_INDEX_FORMAT,
      ...about,
      shards,
    });
    await this.checkpoint.remove();
  }

  #checkVocabulary(ids: Uint32Array): void {
    const outside = ids.find((id) => id >= this.vocabularySize);
    if (outside === undefined) return;
    throw new InputError(
      `The data has the token ${outside}, but the model's vocabulary has ${this.vocabularySize}: give ` +
        `the model that the data is for.`,
    );
  }

  [Symbol.dispose](): void {
    this.checkpoint[Symbol.dispose]();
  }
}
