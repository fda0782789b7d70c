/** Markdown tables as `deno fmt` lays them out. */
import { type Column, displayWidth } from "../lib/cli/table.ts";

/**
 * Lines of a table.
 *
 * @param columns as for tables in a terminal
 * @param rows one text per column, without `|`
 */
export function markdownTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string[] {
  const headers = columns.map(({ header }) => header);
  const widths = headers.map((header, i) =>
    Math.max(3, ...[header, ...rows.map((row) => row[i])].map(displayWidth))
  );
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const padded = (row: readonly string[]) =>
    line(row.map((cell, i) => pad(cell, widths[i], columns[i].align)));
  const rule = widths.map((width, i) =>
    columns[i].align === "right" ? `${"-".repeat(width - 1)}:` : "-".repeat(width)
  );
  return [padded(headers), line(rule), ...rows.map(padded)];
}

function pad(cell: string, width: number, align: Column["align"] = "left"): string {
  const space = " ".repeat(width - displayWidth(cell));
  return align === "right" ? space + cell : cell + space;
}
