import { visibleText } from "./visible_text.ts";

/** Markup that is already safe to put into a page. Only {@link html} and {@link trusted} make it. */
class Html {
  constructor(readonly source: string) {}
}
export type { Html };

/** What may stand in a template: everything but `Html` is text, and is escaped. */
export type HtmlValue = Html | string | number | readonly HtmlValue[];

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function source(value: HtmlValue): string {
  if (value instanceof Html) return value.source;
  if (typeof value === "object") return value.map(source).join("");
  return visibleText(String(value)).replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/**
 * A page fragment. Values are escaped and their unseen characters made visible, so text from a
 * corpus cannot become markup, neither between tags nor in a quoted attribute (attributes in
 * templates are always quoted).
 */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(source)));
}

/** Our own style sheet, script or path data: put into the page as it is. */
export function trusted(markup: string): Html {
  return new Html(markup);
}
