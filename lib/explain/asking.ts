/** Asking a model for explanations and scores, until an answer is of use or the budget is spent. */
import { createHash } from "node:crypto";
import {
  BudgetSpent,
  ChatFailure,
  type ChatModel,
  type ChatReply,
  type ChatRequest,
} from "../llm/chat.ts";
import type { LatentExamples } from "../interpret/example.ts";
import type { Explainer, Explanation } from "../interpret/explainers/explainer.ts";
import type { Question } from "../interpret/scorers/scorer.ts";

/** Times that a question is asked whose answer is of no use; once under `--compat paper`. */
const ATTEMPTS = 3;

/** How questions are asked. */
export interface AskingOptions {
  /** "paper": nothing is asked again. */
  readonly compat?: "paper";
}

/** What a question came to. */
export interface Answered<T> {
  readonly value: T;
  /** Why the value says less than it should, in a sentence; undefined where all is well. */
  readonly failure?: string;
  /** True where a later run could do better: the endpoint failed, not the model. */
  readonly passing?: boolean;
}

/** A chat model, with what it means to ask it again. */
export class Asking {
  readonly #chat: ChatModel;
  readonly #attempts: number;
  #spent: BudgetSpent | undefined;

  constructor(chat: ChatModel, { compat }: AskingOptions) {
    this.#chat = chat;
    this.#attempts = compat === "paper" ? 1 : ATTEMPTS;
  }

  /** Why nothing more is asked; undefined while it is. */
  get spent(): BudgetSpent | undefined {
    return this.#spent;
  }

  /**
   * Asks for an explanation, again where the answer has a problem. The last answer is kept with it.
   *
   * @throws ChatFailure, BudgetSpent
   */
  async explanation(explainer: Explainer, examples: LatentExamples): Promise<Explanation> {
    let explanation: Explanation | undefined;
    for (let attempt = 0; attempt < this.#attempts; attempt++) {
      const request = explainer.ask(examples, attempt, explanation?.problem);
      explanation = explainer.read(await this.#complete(request));
      if (!explanation.problem) break;
    }
    return explanation!;
  }

  /**
   * Asks a question about examples, again where the answer is not valid.
   *
   * @throws BudgetSpent
   */
  async rows<Row>(question: Question<Row>): Promise<Answered<readonly Row[]>> {
    try {
      for (let attempt = 0; attempt < this.#attempts; attempt++) {
        const rows = question.read(await this.#complete(question.request(attempt)));
        if (rows) return { value: rows };
      }
    } catch (error) {
      if (!(error instanceof ChatFailure)) throw error;
      return { value: question.unanswered(), failure: error.message, passing: true };
    }
    return {
      value: question.unanswered(),
      failure: `No answer of ${this.#attempts} was a list of predictions.`,
    };
  }

  async #complete(request: ChatRequest): Promise<ChatReply> {
    return await this.guarded(() => this.#chat.complete(request));
  }

  /** Asks by other means; remembers when the budget is spent, and asks no more then. */
  async guarded<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#spent) throw this.#spent;
    try {
      return await ask();
    } catch (error) {
      if (error instanceof BudgetSpent) this.#spent = error;
      throw error;
    }
  }
}

/** SHA-256 of what was asked: an answer on disk is the answer to exactly these questions. */
export function askedHash(...asked: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(asked)).digest("hex");
}
