/** What `interpret` has found out about latents, as far as it has run. */
import { join } from "node:path";
import { isFile } from "../../data/file_tree.ts";
import { sha256File } from "../../data/files.ts";
import { readTable } from "../../data/tables.ts";
import type { ExplanationScore } from "../backend.ts";

/** Explanations and scores of latents. */
export interface Interpretations {
  /** SHA-256 of the tables; empty without. */
  readonly sha256: readonly string[];
  of(layer: number, index: number): {
    readonly explanation: string | null;
    readonly scores: readonly ExplanationScore[];
  };
}

/**
 * Reads the tables that `interpret` writes.
 *
 * @param folder of one run of it; one without tables has no explanations
 * @throws InputError for damaged tables
 */
export async function readInterpretationTables(folder: string): Promise<Interpretations> {
  const explanations = join(folder, "explanations.parquet");
  const scores = join(folder, "scores.parquet");
  const paths: string[] = [];
  for (const path of [explanations, scores]) if (await isFile(path)) paths.push(path);
  const texts = new Map<string, string>();
  for (const row of paths.includes(explanations) ? await identifiedRows(explanations) : []) {
    if (typeof row.explanation === "string") {
      texts.set(keyOf(row.layer, row.latent), row.explanation);
    }
  }
  const scored = new Map<string, ExplanationScore[]>();
  for (const row of paths.includes(scores) ? await identifiedRows(scores) : []) {
    const key = keyOf(row.layer, row.latent);
    const score = scoreOf(row);
    if (score) scored.set(key, [...scored.get(key) ?? [], score]);
  }
  return {
    sha256: await Promise.all(paths.map(sha256File)),
    of: (layer, index) => ({
      explanation: texts.get(keyOf(layer, index)) ?? null,
      scores: scored.get(keyOf(layer, index)) ?? [],
    }),
  };
}

type Row = Readonly<Record<string, unknown>>;

/** Rows of identified latents: those of controls are of others. */
async function identifiedRows(path: string): Promise<Row[]> {
  const columns = Object.entries(await readTable(path));
  const { length } = columns[0][1];
  const rows = Array.from(
    { length },
    (_, i): Row => Object.fromEntries(columns.map(([name, cells]) => [name, cells[i]])),
  );
  return rows.filter(({ group }) => group === "identified");
}

/** The scores that say where a latent fires; those of other kinds have other metrics. */
function scoreOf(row: Row): ExplanationScore | undefined {
  const number = (name: string) => typeof row[name] === "number" ? row[name] : NaN;
  const [low, high] = [number("accuracy_low"), number("accuracy_high")];
  const accuracy = number("accuracy");
  if (Number.isNaN(accuracy)) return undefined;
  return {
    scorer: String(row.scorer),
    accuracy,
    interval: Number.isNaN(low) || Number.isNaN(high) ? null : [low, high],
    f1: number("f1"),
    precision: number("precision"),
    recall: number("recall"),
  };
}

function keyOf(layer: unknown, index: unknown): string {
  return `${layer} ${index}`;
}
