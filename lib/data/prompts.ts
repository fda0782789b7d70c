/** The text of a row: one of its columns, or several put together by a template. */

import { InputError } from "../formats/input_error.ts";

/** How a row's columns make its text. */
export interface Prompt {
  /** Columns that it needs, each once. */
  readonly columns: readonly string[];
  /** The prompt as a template: fields in braces. */
  readonly template: string;
  /**
   * The text of a row; undefined where a column is null or the text is blank.
   *
   * @param cells of `columns`, in their order
   * @param where the row, for messages
   * @throws InputError for a cell that is no text
   */
  render(cells: readonly unknown[], where: string): string | undefined;
}

/** `{{`, `}}`, a field, any brace that is none of them. */
const PARTS = /\{\{|\}\}|\{([^{}]+)\}|[{}]/g;

/**
 * Reads a template such as `{premise} {hypothesis}`; `{{` and `}}` stand for braces.
 *
 * @throws InputError for a brace without its other, or a template without a field
 */
export function parsePromptTemplate(template: string): Prompt {
  const literals: string[] = [""];
  const fields: string[] = [];
  let at = 0;
  for (const match of template.matchAll(PARTS)) {
    const [part, field] = match;
    if (part.length === 1) {
      throw new InputError(
        `The template ${JSON.stringify(template)} has a single ${JSON.stringify(part)}, expected ` +
          `fields such as {text}; write ${part}${part} for the brace itself.`,
      );
    }
    literals[literals.length - 1] += template.slice(at, match.index);
    if (field === undefined) literals[literals.length - 1] += part[0];
    else {
      fields.push(field);
      literals.push("");
    }
    at = match.index + part.length;
  }
  literals[literals.length - 1] += template.slice(at);
  if (fields.length > 0) return prompt(literals, fields, template);
  throw new InputError(
    `The template ${JSON.stringify(template)} names no column, expected one such as ` +
      `"{premise} {hypothesis}"; put the columns' names in braces.`,
  );
}

/** The text is a column as it is. */
export function columnPrompt(name: string): Prompt {
  return prompt(["", ""], [name], `{${name.replace(/[{}]/g, "$&$&")}}`);
}

function prompt(literals: readonly string[], fields: readonly string[], template: string): Prompt {
  const columns = [...new Set(fields)];
  return {
    columns,
    template,
    render(cells, where) {
      const texts = new Map(columns.map((name, i) => [name, asText(cells[i], name, where)]));
      let text = literals[0];
      for (const [i, field] of fields.entries()) {
        const part = texts.get(field);
        if (part === undefined) return undefined;
        text += part + literals[i + 1];
      }
      return text.trim() ? text : undefined;
    },
  };
}

function asText(cell: unknown, column: string, where: string): string | undefined {
  if (typeof cell === "string") return cell;
  if (cell === null || cell === undefined) return undefined;
  throw new InputError(
    `${where} has ${typeof cell === "object" ? "an object" : `a ${typeof cell}`} for ${
      JSON.stringify(column)
    }, expected text; ` +
      `name the column with the texts with --text-column.`,
  );
}
