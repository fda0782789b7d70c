/**
 * How a training went: `metrics.jsonl`, a line per logged step with the names that sparsify gives
 * its values in wandb (`fvu/layers.0.mlp`), and at the end a table of the same.
 */
import { join } from "node:path";
import { readText, unreadable } from "../data/files.ts";
import { type Cell, writeTable } from "../data/tables.ts";
import { InputError } from "../formats/input_error.ts";
import type { StepMetrics } from "./trainer.ts";

/** Values of a line: those of a coder have its name behind a slash. */
export type MetricsLine = { step: number; tokens: number } & Record<string, number>;

/** Which values coders have, and how they are told. */
export interface MetricsOptions {
  /** Names of the coders, in their order. */
  readonly names: readonly string[];
  readonly latents: readonly number[];
  readonly auxk: boolean;
  readonly multiTopk: boolean;
  /** What losses are divided by: 1, but for faults of sparsify (spec train-and-interpret A.3). */
  readonly divisor: number;
}

const FILE = "metrics.jsonl";
/** Columns of the table that coders have each their own of. */
const VALUES = ["fvu", "dead_pct", "auxk", "multi_topk_fvu", "lr", "held_out_fvu"] as const;

/** The line of a step. */
export function stepLine(
  { step, tokens, k, coders }: StepMetrics,
  { names, latents, auxk, multiTopk, divisor }: MetricsOptions,
): MetricsLine {
  const line: MetricsLine = { step, tokens, k };
  coders.forEach((metrics, i) => {
    if (!metrics) return;
    const name = names[i];
    line[`fvu/${name}`] = metrics.fvu / divisor;
    line[`dead_pct/${name}`] = metrics.dead / latents[i];
    if (auxk) line[`auxk/${name}`] = metrics.auxk / divisor;
    if (multiTopk) line[`multi_topk_fvu/${name}`] = metrics.multiTopk / divisor;
    line[`lr/${name}`] = metrics.rate;
  });
  return line;
}

/** The log, while a training runs. */
export class MetricsLog implements Disposable {
  #bytes: number;

  private constructor(readonly folder: string, readonly file: Deno.FsFile, bytes: number) {
    this.#bytes = bytes;
  }

  /**
   * Opens the log of a training.
   *
   * @param bytes of it that count: what was written after the checkpoint is written again
   * @throws InputError when the file has fewer, or cannot be written
   */
  static async open(folder: string, bytes: number): Promise<MetricsLog> {
    const path = join(folder, FILE);
    try {
      const file = await Deno.open(path, { read: true, write: true, create: true });
      const { size } = await file.stat();
      if (size < bytes) {
        throw new InputError(
          `${path} has ${size} bytes, but had ${bytes} when the checkpoint was saved; put it back.`,
        );
      }
      await file.truncate(bytes);
      await file.seek(0, Deno.SeekMode.End);
      return new MetricsLog(folder, file, bytes);
    } catch (error) {
      throw unreadable(path, error);
    }
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  async append(lines: readonly MetricsLine[]): Promise<void> {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await this.file.write(bytes.subarray(at));
    this.#bytes += bytes.length;
  }

  /** Makes sure that what is written stays. */
  async sync(): Promise<void> {
    await this.file.syncData();
  }

  /** Writes `metrics.parquet` and `metrics.csv`: a row per step and coder. */
  async writeTable(names: readonly string[]): Promise<void> {
    const lines = (await readText(join(this.folder, FILE))).trimEnd().split("\n");
    const rows = lines.filter((line) => line !== "").flatMap((text) => {
      const line: Partial<MetricsLine> = JSON.parse(text);
      return names.map((name) => ({ line, name }));
    });
    const column = (value: (row: typeof rows[number]) => Cell | undefined) =>
      rows.map((row) => value(row) ?? null);
    await writeTable(join(this.folder, "metrics"), {
      step: column(({ line }) => line.step),
      tokens: column(({ line }) => line.tokens),
      k: column(({ line }) => line.k),
      coder: column(({ name }) => name),
      ...Object.fromEntries(
        VALUES.map((value) => [value, column(({ line, name }) => line[`${value}/${name}`])]),
      ),
    });
  }

  [Symbol.dispose](): void {
    this.file.close();
  }
}
