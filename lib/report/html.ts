import { visibleText } from "./visible_text.ts";

/** Page source that is safe to print as it is; only {@link markup} and {@link trusted} make it. */
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
 *
 * Not called `html`: deno fmt would rearrange the white space of templates with that tag, which
 * here stands between the words of a text.
 */
export function markup(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(source)));
}

/** Our own style sheet or script: put into the page as it is. */
export function trusted(text: string): Html {
  return new Html(text);
}

/** Nothing. */
export const EMPTY = trusted("");
