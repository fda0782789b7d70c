/** Score files of detection and fuzzing (spec train-and-interpret B.8), of ours and of delphi's. */
import { z } from "zod";
import { InputError } from "../../formats/input_error.ts";
import type { ScoredExample } from "./scorer.ts";

const ROWS = z.array(z.object({
  str_tokens: z.array(z.string()),
  activations: z.array(z.number()),
  distance: z.number(),
  activating: z.boolean(),
  prediction: z.boolean().nullable(),
  probability: z.number().nullable(),
  correct: z.boolean().nullable(),
}));

/**
 * The rows of `scores/<scorer>/<hookpoint>_latent<i>.txt`, in the order in which they were asked about.
 *
 * @param source names the file in messages
 * @throws InputError for anything else
 */
export function readScoredExamples(text: string, source: string): ScoredExample[] {
  const { success, data } = ROWS.safeParse(parsed(text));
  if (success) return data;
  throw new InputError(
    `${source} is not a score file of detection or fuzzing: expected a JSON list of objects with ` +
      `str_tokens, activations, distance, activating, prediction, probability and correct; remove it ` +
      `and let the latent be scored again.`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
