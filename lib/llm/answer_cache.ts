/** Answers kept on disk, one file each: whatever was answered once is never paid for again. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { prepareFolder, writeAtomic } from "../data/files.ts";

const Entry = z.object({ key: z.string(), sha256: z.string(), answer: z.unknown() });

/** A folder of answers. */
export class AnswerCache {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws InputError when the folder cannot be written */
  static async open(folder: string): Promise<AnswerCache> {
    await prepareFolder(folder);
    return new AnswerCache(folder);
  }

  /**
   * SHA-256, in hexadecimal, of what an answer depends on.
   *
   * @param question any JSON value, without secrets
   */
  static key(question: unknown): string {
    return sha256(JSON.stringify(question));
  }

  /** The answer to a question; undefined if there is none, or its file is damaged. */
  async get<T>(key: string, kind: z.ZodType<T>): Promise<T | undefined> {
    try {
      const entry = Entry.parse(JSON.parse(await Deno.readTextFile(this.#path(key))));
      const whole = entry.key === key && entry.sha256 === checksum(key, entry.answer);
      return whole ? kind.parse(entry.answer) : undefined;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      return undefined;
    }
  }

  /**
   * Keeps an answer; once this returns, it is on disk.
   *
   * @throws InputError when it cannot be written
   */
  async put(key: string, answer: unknown): Promise<void> {
    const entry = { key, sha256: checksum(key, answer), answer };
    await writeAtomic(this.#path(key), JSON.stringify(entry) + "\n");
  }

  /** Some file systems are slow with very many files in a folder. */
  #path(key: string): string {
    return join(this.#folder, key.slice(0, 2), `${key}.json`);
  }
}

function checksum(key: string, answer: unknown): string {
  return sha256(key + JSON.stringify(answer));
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
