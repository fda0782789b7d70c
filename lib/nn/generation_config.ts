/** What generation_config.json says of how a model writes, checked. */
import { z } from "zod";
import { InputError } from "../formats/input_error.ts";
import { MOST_TOP_K, type Sampling } from "../gpu/sampler.ts";

/** How a model writes when nothing else is asked for. */
export interface GenerationDefaults {
  readonly sampling: Sampling;
  /** Tokens that end a text; none where the files name none. */
  readonly endIds: readonly number[];
}

/** Of Llama 3.2, which the paper steers (spec 8.1); used for models that say nothing of sampling. */
export const PUBLISHED_SAMPLING: Sampling = { temperature: 0.6, topK: 50, topP: 0.9 };

/** What transformers takes for fields that the file of a sampling model leaves out. */
const USUAL_SAMPLING: Sampling = { temperature: 1, topK: 50, topP: 1 };

const ids = z.union([z.int().nonnegative(), z.array(z.int().nonnegative())]).nullish();

const schema = z.looseObject({
  eos_token_id: ids,
  do_sample: z.boolean().nullish(),
  temperature: z.number().nonnegative().nullish(),
  top_k: z.int().nonnegative().nullish(),
  top_p: z.number().positive().max(1).nullish(),
});

/**
 * Reads generation_config.json, and config.json for what it leaves out.
 *
 * A file without `do_sample` says nothing of sampling: {@linkcode PUBLISHED_SAMPLING}. A `top_k` of 0 (no
 * bound) or above MOST_TOP_K becomes MOST_TOP_K.
 *
 * @param generation parsed content of generation_config.json; undefined where there is none
 * @param config parsed content of config.json, or of what stands for it
 * @param where names generation_config.json in messages
 * @throws InputError naming the first field that is malformed
 */
export function parseGenerationConfig(
  generation: unknown,
  config: unknown,
  where: string,
): GenerationDefaults {
  const parsed = schema.safeParse(generation ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(
      `${where}: field "${issue.path.join(".")}": ${issue.message}; correct or remove the file.`,
    );
  }
  const fields = parsed.data;
  const fallback = z.looseObject({ eos_token_id: ids }).safeParse(config).data;
  const endIds = [fields.eos_token_id ?? fallback?.eos_token_id ?? []].flat();
  if (!fields.do_sample) return { sampling: PUBLISHED_SAMPLING, endIds };
  const topK = fields.top_k ?? USUAL_SAMPLING.topK;
  return {
    sampling: {
      temperature: fields.temperature ?? USUAL_SAMPLING.temperature,
      topK: topK === 0 ? MOST_TOP_K : Math.min(topK, MOST_TOP_K),
      topP: fields.top_p ?? USUAL_SAMPLING.topP,
    },
    endIds,
  };
}
