/// <reference lib="dom" />
/**
 * A figure is plain data: what it shows as a table, what a reader should see in it, and the kind of
 * drawing. So one description serves the page that is written, the page that is filtered by its reader,
 * the CSV beside it and the files of `--figures`.
 */

/** A value of a figure's table; null where there is none. */
export type Cell = string | number | null;

/** A row of a figure's table: one mark of the drawing. */
export type Row = Readonly<Record<string, Cell>>;

/** A figure. JSON, whatever its kind. */
export interface Figure {
  /** Anchor, and name of its files, e.g. `features-per-layer`. */
  readonly id: string;
  /** Section it stands in, e.g. `Features`; figures of a group come together. */
  readonly group: string;
  readonly title: string;
  /** One sentence: what to see. */
  readonly see: string;
  /** How it is drawn: key of the table of drawings (draw.ts). */
  readonly kind: string;
  /** What that kind needs to know besides the rows: names of columns, titles of axes, domains. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Its data: every row is drawn, filtered, and a line of the CSV. */
  readonly rows: readonly Row[];
  /** Columns by which a reader may filter; only those that it has. */
  readonly filters: readonly ("language" | "layer")[];
}

/** What a drawing is made on. */
export interface Surface {
  /** The page's document, or linkedom's where there is no page. */
  readonly document: Document;
  /** Width in CSS pixels. */
  readonly width: number;
  /** Colours of text and marks; "both" draws with CSS variables that follow the page. */
  readonly theme: "light" | "dark" | "both";
  /** Draw what follows the pointer: only in a page. */
  readonly tips: boolean;
}
