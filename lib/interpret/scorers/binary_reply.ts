/** Answers that give a 1 or a 0 for each of some examples. */
import { withoutThoughts } from "../prompts/conversation.ts";

/** Schema of such an answer, for endpoints that can hold a model to one: `{"answers": [1, 0]}`. */
export const ANSWERS_SCHEMA = {
  name: "answers",
  schema: {
    type: "object",
    properties: { answers: { type: "array", items: { type: "integer", enum: [0, 1] } } },
    required: ["answers"],
    additionalProperties: false,
  },
} as const;

/**
 * The last list of the answer, as what comes before it may be thoughts: strictly 0, 1, true or false, and
 * as many as asked; undefined for anything else.
 */
export function binaryReply(text: string, count: number): boolean[] | undefined {
  const last = [...withoutThoughts(text).matchAll(/\[[^[\]]*\]/g)].at(-1)?.[0];
  const list = last === undefined ? undefined : parsed(last);
  if (!Array.isArray(list) || list.length !== count) return undefined;
  return list.every(isAnswer) ? list.map(Boolean) : undefined;
}

function isAnswer(value: unknown): value is 0 | 1 | boolean {
  return value === 0 || value === 1 || typeof value === "boolean";
}

/**
 * As published: the first list on one line, as many entries as a full question has, whatever Python takes
 * for true is true; undefined where the published code gives up (spec train-and-interpret B.7).
 */
export function publishedBinaryReply(text: string, count: number): boolean[] | undefined {
  const first = /\[[^\n]*?\]/.exec(text)?.[0];
  const list = first === undefined ? undefined : parsed(first);
  return Array.isArray(list) && list.length === count ? list.map(isTrueInPython) : undefined;
}

function isTrueInPython(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
