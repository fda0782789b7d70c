/** From examples to an explanation, in two pure halves: what to ask, and what the answer says. */
import type { ChatReply, ChatRequest } from "../../llm/chat.ts";
import type { LatentExamples } from "../example.ts";

/** What is wrong with an answer; it is asked again, then kept with this mark. */
export type ExplanationProblem = "unparsable" | "degenerate" | "truncated" | "empty";

/** What a model says a latent stands for. */
export interface Explanation {
  readonly text: string;
  readonly problem?: ExplanationProblem;
}

/** One way of asking. */
export interface Explainer {
  readonly name: string;
  /**
   * @param attempt how often it was asked before
   * @param problem what was wrong with the last answer: the model is told
   */
  ask(latent: LatentExamples, attempt: number, problem?: ExplanationProblem): ChatRequest;
  /** Under `--compat paper` no answer has a problem: whatever came is kept, and asked for once. */
  read(reply: ChatReply): Explanation;
}
