import type { Cell, Figure } from "../figures/figure.ts";
import { columnNames } from "./figure_pack.ts";
import { countText } from "./numbers.ts";
import { clipText, visibleText } from "./visible_text.ts";

/** Rows of a figure's table on a page that answers; the CSV has all of them. */
export const TABLE_ROWS = 200;

const TEXT_LIMIT = 80;
const DIGITS = 5;

/** A figure's numbers as texts to show. */
export interface FigureTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What is left out, in words; "" where nothing is. */
  readonly left: string;
}

/** The first rows of a figure's table. */
export function figureTable({ rows }: Pick<Figure, "rows">, most: number): FigureTable {
  const names = columnNames(rows);
  const shown = rows.slice(0, most);
  return {
    header: names.map((name) => visibleText(name.replaceAll("_", " "))),
    rows: shown.map((row) => names.map((name) => cellText(row[name] ?? null))),
    left: shown.length === rows.length
      ? ""
      : `The first ${countText(shown.length)} of ${countText(rows.length)} rows.`,
  };
}

/** Whole numbers as they are, others with five digits that count. */
function cellText(cell: Cell): string {
  if (cell === null) return "–";
  if (typeof cell === "string") return clipText(visibleText(cell), TEXT_LIMIT);
  if (Number.isInteger(cell)) return String(cell);
  return Number.isFinite(cell) ? String(Number(cell.toPrecision(DIGITS))) : "–";
}
