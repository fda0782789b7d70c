/** What a reader of the page has chosen to see of figures. */
import type { Figure } from "../figures/figure.ts";

/** A language by its name, a layer by its number as text; "" for all. */
export interface Choice {
  readonly language: string;
  readonly layer: string;
}

/**
 * The part of a figure that is chosen. Rows that are of no language or no layer in particular stay, as
 * do figures that cannot be filtered.
 */
export function chosenPart(figure: Figure, choice: Choice): Figure {
  const wanted = figure.filters.filter((name) => choice[name] !== "");
  if (wanted.length === 0) return figure;
  const isChosen = (name: "language" | "layer", cell: unknown) =>
    cell === null || cell === undefined || String(cell) === choice[name];
  const rows = figure.rows.filter((row) => wanted.every((name) => isChosen(name, row[name])));
  return { ...figure, rows, options: narrowed(figure.options, wanted, choice) };
}

/** Options that name a column, and those that list what stands in it, for which room is left. */
const LISTS = [
  ["panel", "panels"],
  ["category", "categories"],
  ["ray", "rays"],
  ["x", "columns"],
  ["y", "rows"],
] as const;

/** Without room for what was not chosen. Series keep their list, since it gives them their colours. */
function narrowed(
  options: Figure["options"],
  wanted: readonly ("language" | "layer")[],
  choice: Choice,
): Figure["options"] {
  const changed = LISTS.flatMap(([column, list]) => {
    const name = wanted.find((name) => options[column] === name);
    const names = options[list];
    if (name === undefined || !Array.isArray(names)) return [];
    return [[list, names.filter((one) => String(one) === choice[name])] as const];
  });
  return { ...options, ...Object.fromEntries(changed) };
}

/** Whether a part shows anything of what was chosen, and not only what is of nothing in particular. */
export function hasChosen(figure: Figure, choice: Choice): boolean {
  const wanted = figure.filters.filter((name) => choice[name] !== "");
  return figure.rows.some((row) => wanted.every((name) => String(row[name]) === choice[name]));
}
