/** Explanations of earlier runs: what the explainer `none` reads. */
import { InputError } from "../../formats/input_error.ts";

/**
 * The explanation of a file `explanations/<hookpoint>_latent<i>.txt`, which holds it as a JSON string.
 *
 * @param source names the file in messages
 * @throws InputError for anything else
 */
export function storedExplanation(text: string, source: string): string {
  try {
    const explanation: unknown = JSON.parse(text);
    if (typeof explanation === "string") return explanation;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new InputError(
    `${source} is not an explanation: expected a JSON string such as "names of rivers"; remove the ` +
      `file and let it be explained again.`,
  );
}
