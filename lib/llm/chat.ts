/** Asking a language model: what goes to a chat endpoint and what comes back, whoever answers. */

/** One turn of a conversation. */
export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** One question. Equal requests to the same model are the same question: the second is not paid for. */
export interface ChatRequest {
  readonly messages: readonly ChatMessage[];
  /** Most tokens of the answer. */
  readonly maxTokens: number;
  readonly temperature: number;
  /** JSON schema that the answer must satisfy, for endpoints that can hold a model to one. */
  readonly schema?: { readonly name: string; readonly schema: unknown };
  /**
   * How often this question has been asked before because its answer was of no use: a new attempt is a
   * new question, else the cache would give the useless answer for ever. 0 if not given.
   */
  readonly attempt?: number;
}

/** Tokens that an answer cost. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** An answer. */
export interface ChatReply {
  readonly text: string;
  /** Why it ended: of its own, or cut off at `maxTokens` ("length"), or another word of the endpoint's. */
  readonly finish: string;
  readonly usage: Usage;
  /** True where it was paid for in an earlier run. */
  readonly cached: boolean;
}

/** Whoever answers. */
export interface ChatModel {
  /**
   * Waits its turn, asks, tries again what is worth trying again.
   *
   * @throws ChatFailure when there is no answer after all attempts
   * @throws BudgetSpent when an answer could cost more than is left; nothing was asked then
   * @throws InputError when nothing can be asked before somebody mends an option: a wrong key, a model
   *   that is not there, an endpoint that is gone. The run ends then.
   */
  complete(request: ChatRequest): Promise<ChatReply>;
}

/** Turns texts into vectors; for the embedding scorer and neighbours by meaning. */
export interface Embedder {
  /** One vector of unit length per text, in their order. @throws ChatFailure, BudgetSpent */
  embed(texts: readonly string[]): Promise<Float32Array[]>;
}

/** A question that stays without an answer. The run goes on without it; it is counted and listed. */
export class ChatFailure extends Error {
  override readonly name = "ChatFailure";
  /** @param attempts requests that were sent for it */
  constructor(message: string, readonly attempts: number) {
    super(message);
  }
}

/** The tokens or the money of the run are used up: no more is asked, what is there is kept. */
export class BudgetSpent extends Error {
  override readonly name = "BudgetSpent";
}
