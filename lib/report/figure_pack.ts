/**
 * Figures as text for a page: JSON in columns, compressed with gzip, in base64. Tables of hundreds of
 * features by hundreds are a small part of their size then, and no byte of theirs can end a script.
 */
import type { Cell, Figure, Row } from "../figures/figure.ts";

interface PackedFigure extends Omit<Figure, "rows"> {
  /** Values by column; a row without a column has undefined, which JSON leaves as null. */
  readonly columns: Readonly<Record<string, readonly Cell[]>>;
  readonly length: number;
}

/** Writes figures as one line of ASCII. The same figures give the same text. */
export async function packFigures(figures: readonly Figure[]): Promise<string> {
  const packed = figures.map(({ rows, ...figure }): PackedFigure => ({
    ...figure,
    columns: Object.fromEntries(
      columnNames(rows).map((name) => [name, rows.map((row) => row[name] ?? null)]),
    ),
    length: rows.length,
  }));
  const bytes = new TextEncoder().encode(JSON.stringify(packed));
  return base64(await piped(bytes, new CompressionStream("gzip")));
}

/** Reads what {@link packFigures} wrote. */
export async function unpackFigures(text: string): Promise<Figure[]> {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const json = new TextDecoder().decode(await piped(bytes, new DecompressionStream("gzip")));
  return (JSON.parse(json) as PackedFigure[]).map(({ columns, length, ...figure }) => {
    const entries = Object.entries(columns);
    const row = (i: number): Row =>
      Object.fromEntries(entries.map(([name, cells]) => [name, cells[i]]));
    return { ...figure, rows: Array.from({ length }, (_, i) => row(i)) };
  });
}

/** Names of all columns that some row has, in order of appearance. */
export function columnNames(rows: readonly Row[]): string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}

async function piped(
  bytes: Uint8Array<ArrayBuffer>,
  through: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(
    await new Response(new Blob([bytes]).stream().pipeThrough(through)).arrayBuffer(),
  );
}

/** In pieces, since a call takes only so many arguments; a multiple of 3 needs no padding within. */
const PIECE = 3 << 12;

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += PIECE) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + PIECE)));
  }
  return text;
}
