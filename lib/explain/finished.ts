/**
 * What is done, latent by latent (`finished.jsonl`): a run that goes on does not ask again. An entry
 * names the questions that it answers by their hash, so other options, another model or an explanation
 * that was changed by hand make it void, and nothing else does.
 */
import { join } from "node:path";
import { z } from "zod";
import { isFile } from "../data/file_tree.ts";
import { Checkpoint } from "../data/checkpoint.ts";

/** NaN has no JSON: it is null there. */
const number = z.number().nullable().transform((value) => value ?? NaN);
const Counts = z.object({
  truePositives: z.number(),
  falsePositives: z.number(),
  trueNegatives: z.number(),
  falseNegatives: z.number(),
});
const Score = z.object({
  scored: z.number(),
  failed: z.number(),
  counts: Counts.optional(),
  metrics: z.record(z.string(), z.object({ value: number, low: number, high: number })),
  main: z.string(),
});

const Entry = z.object({
  /** Hash of what was asked. */
  asked: z.string(),
  /** What is wrong with an explanation, and with which: one that was edited since may be right. */
  problem: z.enum(["unparsable", "degenerate", "truncated", "empty"]).optional(),
  text: z.string().optional(),
  /** Of a score file. */
  score: Score.optional(),
  /** Why some of its rows have no prediction. */
  failures: z.array(z.string()).optional(),
});

/** What is known of a finished file. */
export type FinishedEntry = z.infer<typeof Entry>;

/** Name of the list in the folder of the results. */
export const FINISHED = "finished.jsonl";

/** Files that are done. */
export class Finished implements Disposable {
  readonly #folder: string;
  readonly #entries: Checkpoint<unknown>;
  readonly #anyQuestion: boolean;
  /** Entries are written one after the other: a line may not begin within another. */
  #written: Promise<void> = Promise.resolve();

  private constructor(folder: string, entries: Checkpoint<unknown>, anyQuestion: boolean) {
    this.#folder = folder;
    this.#entries = entries;
    this.#anyQuestion = anyQuestion;
  }

  /**
   * Opens the list of a folder that is claimed.
   *
   * @param anyQuestion take everything that is there for finished, whatever was asked: to sum it up
   * @throws InputError when it cannot be read or written
   */
  static async open(folder: string, anyQuestion = false): Promise<Finished> {
    const entries = await Checkpoint.open(join(folder, FINISHED), { form: 1 });
    return new Finished(folder, entries, anyQuestion);
  }

  /**
   * What is known of a file, where it is there and answers these questions.
   *
   * @param path of the file
   * @param asked hash of the questions; any, if not given
   */
  async get(path: string, asked?: string): Promise<FinishedEntry | undefined> {
    const entry = Entry.safeParse(this.#entries.get(this.#key(path))).data;
    const isMeant = asked === undefined || this.#anyQuestion || entry?.asked === asked;
    if (!entry || !isMeant) return undefined;
    return await isFile(path) ? entry : undefined;
  }

  /** Notes that a file, which has been written, is done. */
  async put(path: string, entry: FinishedEntry): Promise<void> {
    this.#written = this.#written.then(() => this.#entries.put(this.#key(path), entry));
    await this.#written;
  }

  #key(path: string): string {
    return path.slice(this.#folder.length + 1);
  }

  [Symbol.dispose](): void {
    this.#entries[Symbol.dispose]();
  }
}
