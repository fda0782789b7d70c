/**
 * What detection and fuzzing share: texts of windows in which a latent fires and in which it does not,
 * mixed, a few per question, each to be answered by 1 or 0 (spec train-and-interpret B.7).
 */
import type { ChatRequest } from "../../llm/chat.ts";
import type { Example, LatentExamples } from "../example.ts";
import { confusionScore } from "../metrics/confusion_score.ts";
import { answerTokens, askedAgain, conversation, QUOTING_NOTE } from "../prompts/conversation.ts";
import type { ClassifierTexts } from "../prompts/prompt_texts.ts";
import { quoted } from "../prompts/quoting.ts";
import { ANSWERS_SCHEMA, binaryReply, publishedBinaryReply } from "./binary_reply.ts";
import { batches, latentShuffle, publishedShuffle } from "./orders.ts";
import type { ChatScorer, Question, ScoredExample } from "./scorer.ts";

/** A window as it is asked about. */
export interface Sample {
  readonly example: Example;
  /** What the answer should be. */
  readonly activating: boolean;
  /** Its line in the question. */
  readonly text: string;
}

/** How a classifier asks. */
export interface ClassifierOptions {
  readonly examplesPerPrompt: number;
  readonly seed: number;
  readonly maxTokens?: number;
  readonly compat?: "paper";
}

/**
 * A scorer of texts.
 *
 * @param samplesOf windows in which the latent does not fire, then those in which it does
 */
export function classifier(
  name: "detection" | "fuzz",
  texts: ClassifierTexts,
  samplesOf: (latent: LatentExamples) => Sample[],
  options: ClassifierOptions,
): ChatScorer {
  const { examplesPerPrompt, seed, compat } = options;
  const shuffle = compat === "paper" ? publishedShuffle() : latentShuffle(seed);
  return {
    asks: "chat",
    name,
    usesExplanation: true,
    questions(latent, explanation) {
      const samples = shuffle(latent.latent, samplesOf(latent));
      return batches(samples, examplesPerPrompt).map((batch) =>
        compat === "paper"
          ? publishedQuestion(texts, explanation, batch, options)
          : question(texts, explanation, batch, options)
      );
    },
    file: (rows) => rows,
    score: (rows) => confusionScore(rows, examplesPerPrompt),
  };
}

function question(
  texts: ClassifierTexts,
  explanation: string,
  samples: readonly Sample[],
  options: ClassifierOptions,
): Question<ScoredExample> {
  const count = samples.length;
  const system = `${texts.system.trimEnd()}\n\n${QUOTING_NOTE}`;
  const request: ChatRequest = {
    messages: conversation(system, texts.shots, asked(quoted(explanation), samples)),
    maxTokens: answerTokens(options),
    temperature: 0,
    schema: ANSWERS_SCHEMA,
  };
  const nudge = `Your last answer could not be read. Answer with a list of exactly ${count} ` +
    `number${count === 1 ? "" : "s"}, each 0 or 1, and nothing else.`;
  return {
    examples: samples.map(({ example }) => example),
    request: (attempt) => attempt === 0 ? request : askedAgain(request, attempt, nudge),
    read({ text }) {
      const answers = binaryReply(text, count);
      return answers && samples.map((sample, i) => scoredRow(sample, answers[i]));
    },
    unanswered: () => samples.map((sample) => scoredRow(sample, null)),
  };
}

/** As published: asked once; a question of fewer examples than a full one always fails (quirk). */
function publishedQuestion(
  texts: ClassifierTexts,
  explanation: string,
  samples: readonly Sample[],
  options: ClassifierOptions,
): Question<ScoredExample> {
  const messages = conversation(texts.system, texts.shots, asked(explanation, samples));
  const request = { messages, maxTokens: answerTokens(options), temperature: 0 };
  const unanswered = () => samples.map((sample) => scoredRow(sample, null));
  return {
    examples: samples.map(({ example }) => example),
    request: () => request,
    read({ text }) {
      const answers = publishedBinaryReply(text, options.examplesPerPrompt);
      if (answers === undefined || answers.length !== samples.length) return unanswered();
      return samples.map((sample, i) => scoredRow(sample, answers[i]));
    },
    unanswered,
  };
}

/** The user's message. */
function asked(explanation: string, samples: readonly Sample[]): string {
  const lines = samples.map(({ text }, i) => `Example ${i}: ${text}\n`);
  return `Latent explanation: ${explanation}\n\nText examples:\n\n${lines.join("")}`;
}

function scoredRow({ example, activating }: Sample, prediction: boolean | null): ScoredExample {
  return {
    str_tokens: example.tokens,
    activations: Array.from(example.activations),
    distance: example.distance,
    activating,
    prediction,
    probability: null,
    correct: prediction === null ? null : prediction === activating,
  };
}
