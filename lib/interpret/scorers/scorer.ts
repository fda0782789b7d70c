/**
 * How well an explanation tells where a latent fires. A scorer is two pure halves, what to ask and what
 * the answers say, so that a dry run, a resumed run and a test are the same code.
 */
import type { ChatReply, ChatRequest, Embedder } from "../../llm/chat.ts";
import type { Example, LatentExamples } from "../example.ts";
import type { LatentScore } from "../metrics/latent_score.ts";

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
   * then asked for again. Under `--compat paper` an invalid answer is not undefined but
   * {@linkcode unanswered}, since it was never asked for again.
   */
  read(reply: ChatReply): readonly Row[] | undefined;
  /** The rows of a question without a valid answer. */
  unanswered(): readonly Row[];
}

/** What all scorers have in common, whomever they ask. */
export interface RowScorer<Row> {
  /** Name of its folder under `scores/`. */
  readonly name: string;
  /** False where the examples alone are judged: shuffled explanations are no control of it then. */
  readonly usesExplanation: boolean;
  /** What is written to the score file of a latent: a list that JSON can hold, under the originals' keys. */
  file(rows: readonly Row[]): readonly unknown[];
  /** What all rows of a latent say together. */
  score(rows: readonly Row[]): LatentScore;
}

/** A scorer that asks a chat model. */
export interface ChatScorer<Row = ScoredExample> extends RowScorer<Row> {
  readonly asks: "chat";
  /**
   * The questions about one latent. Under `--compat paper` the order of examples depends on all latents
   * before it (B.7), so this is called once for every latent, in their order, whatever is known already.
   */
  questions(latent: LatentExamples, explanation: string): readonly Question<Row>[];
}

/** A scorer that compares vectors of texts. */
export interface EmbeddingScorer<Row> extends RowScorer<Row> {
  readonly asks: "embedder";
  /** @throws ChatFailure, BudgetSpent of the embedder */
  rows(latent: LatentExamples, explanation: string, embedder: Embedder): Promise<readonly Row[]>;
}

/** A text whose tokens a model predicts, and what comes before it. */
export interface LossRequest {
  /** Text before the example; the model sees it, and its tokens have no part in the losses. */
  readonly prefix: string;
  /** The example as the subject's tokenizer has it. */
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly text: string;
}

/**
 * Losses of a base model: -ln p of every token of each example, in nats, as many as the example has
 * tokens of the base model; of the first too, since a prefix comes before it.
 */
export type TokenLosses = (requests: readonly LossRequest[]) => Promise<readonly number[][]>;

/** A scorer that asks how surprising texts are to a base model. */
export interface SurprisalScorer<Row> extends RowScorer<Row> {
  readonly asks: "losses";
  rows(latent: LatentExamples, explanation: string, losses: TokenLosses): Promise<readonly Row[]>;
}
