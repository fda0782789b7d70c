/**
 * What visitors have a model do: read their texts, and write under steering. The same on the server and
 * in a visitor's own browser, so that nothing here knows of files or of Deno.
 */
import { type FeatureClassifier, wantedUnits } from "../../classify/feature_classifier.ts";
import { InputError } from "../../formats/input_error.ts";
import type { Tokenizer } from "../../formats/tokenizer.ts";
import { readActivations, type Reader } from "../../interpret/activations.ts";
import type { LlamaConfig } from "../../nn/config.ts";
import { generate } from "../../nn/generation.ts";
import type { GenerationDefaults } from "../../nn/generation_config.ts";
import type { Target } from "../../sae/target.ts";
import { answer } from "../../steer/answers.ts";
import { EditHooks } from "../../steer/edit_hooks.ts";
import type { Steered, SteerRequest, Tried } from "../backend.ts";
import { MOST_TOKENS } from "../limits.ts";
import { type SteeredLatent, steeringEdits } from "./steering.ts";
import { triedOf } from "./tried.ts";

/** A model and its SAEs, without what lies on the GPU. */
export interface VisitedModel {
  readonly config: Pick<LlamaConfig, "vocabularySize">;
  readonly tokenizer: Tokenizer;
  readonly generation: GenerationDefaults;
  readonly targets: readonly Target[];
}

/** The model on a GPU. */
export type ModelOnGpu = Omit<Reader, "limits">;

/** A text to be written with latents changed, their strengths as activations. */
export interface LatentSteering extends Omit<SteerRequest, "features"> {
  readonly latents: readonly SteeredLatent[];
}

/** Tokens per readback: a visitor who is gone is noticed after each. */
const CHUNK = 4;

/**
 * The tokens of a visitor's text.
 *
 * @throws InputError for a text without any, with too many, or with one that the model does not know
 */
export function visitorTokens(
  { tokenizer, config }: VisitedModel,
  text: string,
): Uint32Array<ArrayBuffer> {
  const ids = tokenizer.encode(text.toWellFormed());
  if (ids.some((id) => id >= config.vocabularySize)) {
    throw new InputError("The text has a token that the model does not know; leave it out.");
  }
  if (ids.length === 0) throw new InputError("There is no text; type some.");
  if (ids.length <= MOST_TOKENS) return ids;
  throw new InputError(
    `The text has ${ids.length} tokens, expected at most ${MOST_TOKENS}: leave some of it out.`,
  );
}

/**
 * Which features of a classifier fire on a text; of BOS nothing is told.
 *
 * @param ids by {@linkcode visitorTokens}
 */
export async function tryTokens(
  { gpu, store, llama }: ModelOnGpu,
  { tokenizer }: VisitedModel,
  classifier: FeatureClassifier,
  ids: Uint32Array,
): Promise<Tried> {
  const reader = { gpu, store, llama, limits: { tokens: MOST_TOKENS, examples: 1 } };
  const wanted = wantedUnits(classifier);
  for await (const found of readActivations(reader, classifier.targets, [{ ids }], { wanted })) {
    const skipped = Number(ids[0] === tokenizer.bosId);
    return triedOf(tokenizer.decodePieces(ids), skipped, classifier, found.targets);
  }
  throw new Error("a text without activations");
}

/**
 * Writes a text as it is and with latents changed, both in one batch and from the same random numbers.
 *
 * @param prompt by {@linkcode visitorTokens}
 * @param progress told how many tokens are written so far, as the mean of both texts; throws to stop
 * @throws InputError for latents that the SAEs have not
 */
export async function steerTokens(
  { gpu, llama }: ModelOnGpu,
  { tokenizer, generation: { endIds, sampling }, targets }: VisitedModel,
  prompt: Uint32Array,
  { latents, maxNewTokens, temperature, seed }: Omit<LatentSteering, "prompt">,
  progress: (tokens: number) => void,
): Promise<Steered> {
  using hooks = new EditHooks(gpu, [await steeringEdits(targets, latents)]);
  const texts = [{ prompt, seed }, { prompt, seed, set: 0 }];
  let drawn = 0;
  const written = await generate(gpu, llama, texts, { tokens: MOST_TOKENS, examples: 2 }, {
    ...{ maxNewTokens, endIds, sampling: { ...sampling, temperature }, chunk: CHUNK },
    progress: (tokens) => progress(Math.ceil((drawn += tokens) / texts.length)),
  }, hooks);
  const [plain, steered] = written.map((ids) => answer(tokenizer, prompt, ids, endIds));
  return { plain, steered };
}
