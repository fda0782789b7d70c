/** Fields of an SAE's config file, checked. */
import { z } from "zod";
import { InputError } from "../formats/input_error.ts";

/** A name in a config; messages repeat it, so it is short. */
export const shortName = z.string().max(200);

/**
 * The fields of a config that `schema` names; others are ignored.
 *
 * @param config parsed JSON
 * @param file names it in the message
 * @throws InputError for the first field that is missing or malformed
 */
export function configFields<Fields>(
  schema: z.ZodType<Fields>,
  config: unknown,
  file: string,
): Fields {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  const field = path.length > 0 ? `field "${path.join(".")}": ` : "";
  throw new InputError(`${file}: ${field}${message}; expected the config of an SAE.`);
}
