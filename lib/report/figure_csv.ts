import type { Cell, Figure } from "../figures/figure.ts";
import { columnNames } from "./figure_pack.ts";

/** A figure's table as CSV (RFC 4180, lines end with a line feed), its numbers in full. */
export function figureCsv({ rows }: Pick<Figure, "rows">): string {
  const names = columnNames(rows);
  const lines = [names, ...rows.map((row) => names.map((name) => row[name] ?? null))];
  return lines.map((cells) => cells.map(field).join(",") + "\n").join("");
}

function field(cell: Cell): string {
  const text = cell === null ? "" : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
