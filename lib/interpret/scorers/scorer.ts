/**
 * How well an explanation tells where a latent fires. A scorer is two pure halves, what to ask and what
 * the answers say, so that a dry run, a resumed run and a test are the same code.
 */
import type { ChatReply, ChatRequest } from "../../llm/chat.ts";
import type { Example, LatentExamples } from "../example.ts";

/** A row of a score file of detection and fuzzing (spec train-and-interpret B.8), with its keys. */
export interface ScoredExample {
  readonly str_tokens: readonly string[];
  readonly activations: readonly number[];
  readonly distance: number;
  readonly activating: boolean;
  /** null where the answer was of no use. */
  readonly prediction: boolean | null;
  readonly probability: number | null;
  readonly correct: boolean | null;
}

/** One question to a language model about several examples. */
export interface Question<Row> {
  /** @param attempt how often it was asked before */
  request(attempt: number): ChatRequest;
  /** The examples it asks about, in order. */
  readonly examples: readonly Example[];
  /**
   * What the answer says of each of the examples; undefined where it is not a valid answer, which is
   * then asked for again.
   */
  read(reply: ChatReply): readonly Row[] | undefined;
  /** The rows of a question without a valid answer. */
  unanswered(): readonly Row[];
}

/** A scorer that asks a chat model. */
export interface ChatScorer<Row = ScoredExample> {
  /** Name of its folder under `scores/`. */
  readonly name: string;
  /**
   * The questions about one latent. Under `--compat paper` the order of examples depends on all latents
   * before it (B.7), so this is called once for every latent, in their order, whatever is known already.
   */
  questions(latent: LatentExamples, explanation: string): readonly Question<Row>[];
}
