/** The model at work for visitors: reading their texts, and writing under steering. */
import {
  type FeatureClassifier,
  featureClassifier,
  wantedUnits,
} from "../../classify/feature_classifier.ts";
import { activeFeatures } from "../../classify/active_features.ts";
import { featureScores } from "../../classify/scores.ts";
import { InputError } from "../../formats/input_error.ts";
import type { IdentifiedFeatures } from "../../identify/lape_result.ts";
import { readActivations } from "../../interpret/activations.ts";
import { type Continuation, generate } from "../../nn/generation.ts";
import type { RunOptions } from "../../session/options.ts";
import { runModel, type RunningModel, type Session } from "../../session/session.ts";
import { answer } from "../../steer/answers.ts";
import { EditHooks } from "../../steer/edit_hooks.ts";
import { saeEdits } from "../../steer/interventions.ts";
import type { Steered, SteerRequest, Tried } from "../backend.ts";
import { GpuQueue } from "./gpu_queue.ts";

/** Most tokens of a visitor's text. */
export const MOST_TOKENS = 1024;

/** A model that visitors may run; it goes onto the GPU when the first of them comes. */
export class LiveModel implements Disposable {
  readonly #session: Session;
  readonly #options: RunOptions;
  readonly #classifier: FeatureClassifier;
  readonly #largest: (layer: number, index: number) => number;
  readonly #queue = new GpuQueue();
  readonly #owned = new DisposableStack();
  #model: Promise<RunningModel> | undefined;

  /**
   * @param largest activation of a latent over all texts; throws for one that is not there
   * @throws InputError for features that do not fit the model
   */
  constructor(
    session: Session,
    { result, path }: IdentifiedFeatures,
    largest: (layer: number, index: number) => number,
    options: RunOptions,
  ) {
    const { targets, config } = session.subject;
    this.#session = session;
    this.#options = options;
    this.#largest = largest;
    this.#classifier = featureClassifier(result, targets, config.mlpSize, path);
  }

  /** Which language-specific features fire on a text; BOS is not told of. */
  async tryText(
    text: string,
    signal?: AbortSignal,
    waiting?: (ahead: number) => void,
  ): Promise<Tried> {
    const ids = this.#tokens(text);
    return await this.#queue.run(
      async () => {
        const model = await this.#opened();
        signal?.throwIfAborted();
        const wanted = wantedUnits(this.#classifier);
        const limits = { tokens: MOST_TOKENS, examples: 1 };
        const reader = { ...model, limits };
        const texts = [{ ids }];
        for await (
          const { targets } of readActivations(reader, this.#classifier.targets, texts, { wanted })
        ) return this.#tried(ids, targets);
        throw new Error("a text without activations");
      },
      signal,
      waiting,
    );
  }

  /** A text as it would have been, and with features changed; both in the same batch. */
  async steer(
    { prompt, features, maxNewTokens, temperature, seed }: SteerRequest,
    progress: (tokens: number) => void,
    signal?: AbortSignal,
    waiting?: (ahead: number) => void,
  ): Promise<Steered> {
    const { tokenizer, generation } = this.#session.subject;
    const ids = this.#tokens(prompt);
    const edits = await this.#edits(features);
    return await this.#queue.run(
      async () => {
        const { gpu, llama } = await this.#opened();
        signal?.throwIfAborted();
        using hooks = new EditHooks(gpu, [edits]);
        const texts: Continuation[] = [{ prompt: ids, seed }, { prompt: ids, seed, set: 0 }];
        let drawn = 0;
        const written = await generate(gpu, llama, texts, { tokens: MOST_TOKENS, examples: 2 }, {
          maxNewTokens,
          endIds: generation.endIds,
          sampling: { ...generation.sampling, temperature },
          // Between passes: a visitor who is gone ends the run.
          progress: (tokens) => {
            signal?.throwIfAborted();
            progress(Math.ceil((drawn += tokens) / texts.length));
          },
        }, hooks);
        const [plain, steered] = written.map((own) =>
          answer(tokenizer, ids, own, generation.endIds)
        );
        return { plain, steered };
      },
      signal,
      waiting,
    );
  }

  /** Steering vectors: each feature's decoder row times its strength and its largest activation. */
  async #edits(features: SteerRequest["features"]) {
    const { targets } = this.#session.subject;
    const scaled = features.map(({ layer, index, strength }) => {
      const value = strength * this.#largest(layer, index);
      return {
        ...{ layer, index, entropy: NaN, probability: NaN },
        ...{ globalMax: value, globalMin: value, globalAvg: value },
      };
    });
    return await saeEdits(targets, scaled, { value: "max", multiplier: 1 });
  }

  #tokens(text: string): Uint32Array<ArrayBuffer> {
    const { tokenizer, config } = this.#session.subject;
    const ids = tokenizer.encode(text.toWellFormed());
    if (ids.some((id) => id >= config.vocabularySize)) {
      throw new InputError("The text has a token that the model does not know; leave it out.");
    }
    if (ids.length === 0) throw new InputError("There is no text; type some.");
    if (ids.length > MOST_TOKENS) {
      throw new InputError(
        `The text has ${ids.length} tokens, expected at most ${MOST_TOKENS}: leave some of it out.`,
      );
    }
    return ids;
  }

  #tried(
    ids: Uint32Array,
    activations: Parameters<typeof activeFeatures>[1],
  ): Tried {
    const { tokenizer } = this.#session.subject;
    const { languages, targets, layers } = this.#classifier;
    const bos = Number(ids[0] === tokenizer.bosId);
    const fired = new Map<string, Tried["fired"][number] & { languages: string[] }>();
    for (
      const { target, index, language, firings } of activeFeatures(this.#classifier, activations)
    ) {
      const key = `${target} ${index}`;
      const known = fired.get(key);
      if (known) {
        known.languages.push(languages[language]);
        continue;
      }
      const { layer } = targets[target].hookpoint;
      const values = new Array<number>(ids.length).fill(0);
      for (const { token, activation } of firings) values[token] = activation;
      const activationsOf = values.slice(bos);
      if (activationsOf.every((value) => value === 0)) continue;
      fired.set(key, {
        layer,
        index,
        languages: [languages[language]],
        activations: activationsOf,
      });
    }
    const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
    const scores = featureScores(languages.length, layers, activations).minMax
      .map((score) => Math.max(0, score));
    const all = total(scores) || 1;
    return {
      tokens: tokenizer.decodePieces(ids).slice(bos),
      fired: [...fired.values()].sort((a, b) => total(b.activations) - total(a.activations)),
      languages: languages.map((language, g) => ({ language, score: scores[g] / all }))
        .sort((a, b) => b.score - a.score),
    };
  }

  #opened(): Promise<RunningModel> {
    this.#model ??= runModel(this.#session, this.#options)
      .then((model) => this.#owned.use(model))
      .catch((error) => {
        this.#model = undefined; // the next visitor tries again
        throw error;
      });
    return this.#model;
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
