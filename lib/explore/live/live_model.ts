/** The model at work for visitors: reading their texts, and writing under steering. */
import { type FeatureClassifier, featureClassifier } from "../../classify/feature_classifier.ts";
import type { IdentifiedFeatures } from "../../identify/lape_result.ts";
import type { RunOptions } from "../../session/options.ts";
import { runModel, type RunningModel, type Session } from "../../session/session.ts";
import type { Steered, SteerRequest, Tried } from "../backend.ts";
import { GpuQueue } from "./gpu_queue.ts";
import { steerTokens, tryTokens, visitorTokens } from "./visitor_runs.ts";

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
    const { subject } = this.#session;
    const ids = visitorTokens(subject, text);
    return await this.#queue.run(
      async () => {
        const model = await this.#opened();
        signal?.throwIfAborted();
        return await tryTokens(model, subject, this.#classifier, ids);
      },
      signal,
      waiting,
    );
  }

  /** A text as it would have been, and with features changed. */
  async steer(
    { prompt, features, ...request }: SteerRequest,
    progress: (tokens: number) => void,
    signal?: AbortSignal,
    waiting?: (ahead: number) => void,
  ): Promise<Steered> {
    const { subject } = this.#session;
    const ids = visitorTokens(subject, prompt);
    const latents = features.map(({ layer, index, strength }) => ({
      layer,
      index,
      activation: strength * this.#largest(layer, index),
    }));
    return await this.#queue.run(
      async () => {
        const model = await this.#opened();
        signal?.throwIfAborted();
        return await steerTokens(model, subject, ids, { ...request, latents }, (tokens) => {
          signal?.throwIfAborted(); // between passes: a visitor who is gone ends the run
          progress(tokens);
        });
      },
      signal,
      waiting,
    );
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
