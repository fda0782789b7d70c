/** What may be asked, and how much of it. */
import { z } from "zod";
import { InputError } from "../../formats/input_error.ts";
import type { FeatureQuery, SteerRequest } from "../backend.ts";
import { MOST_FEATURES, MOST_NEW_TOKENS, MOST_TEXT } from "../limits.ts";

/** Bytes of a request's body that are read. */
export const MOST_BYTES = 64 * 1024;

const whole = z.coerce.number().int().nonnegative().max(1e9);
const part = { offset: whole, limit: whole.min(1).max(200) };
const name = z.string().max(200);

const featureQuery = z.strictObject({
  text: name.optional(),
  language: name.optional(),
  layer: whole.optional(),
  identified: z.enum(["true", "false"]).transform((value) => value === "true").optional(),
  order: z.enum(["entropy", "probability", "index"]).optional(),
  ...part,
});
const latent = z.object({ layer: whole, index: whole });
const contextsQuery = z.strictObject({ language: name, ...part });
const articleQuery = z.strictObject({ article: name });
const tryBody = z.strictObject({ text: z.string().min(1).max(MOST_TEXT) });
const steerBody = z.strictObject({
  prompt: z.string().max(MOST_TEXT),
  features: z.array(z.strictObject({
    layer: z.int().nonnegative(),
    index: z.int().nonnegative(),
    strength: z.number().min(-100).max(100),
  })).max(MOST_FEATURES),
  maxNewTokens: z.int().min(1).max(MOST_NEW_TOKENS),
  temperature: z.number().min(0).max(10),
  seed: z.int().nonnegative(),
});

type Query = Readonly<Record<string, string>>;

/** @throws InputError, as all here, for a request of another form */
export function readFeatureQuery(query: Query): FeatureQuery {
  return read(featureQuery, query);
}

/** The latent of a path. */
export function readLatent(path: Query): z.infer<typeof latent> {
  return read(latent, path);
}

/** Which contexts. */
export function readContextsQuery(query: Query): z.infer<typeof contextsQuery> {
  return read(contextsQuery, query);
}

/** Which article. */
export function readArticleQuery(query: Query): z.infer<typeof articleQuery> {
  return read(articleQuery, query);
}

/** A text to be tried. */
export function readTry(body: unknown): z.infer<typeof tryBody> {
  return read(tryBody, body);
}

/** A text to be written. */
export function readSteer(body: unknown): SteerRequest {
  return read(steerBody, body);
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  throw new InputError(
    `The request is not understood (${[path.join("."), message].filter(Boolean).join(": ")}).`,
  );
}
