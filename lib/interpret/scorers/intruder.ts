/**
 * Intruder: which of some windows is not like the others? One in which the latent does not fire among
 * those of one quantile in which it does. In these the tokens on which it fires are marked, in that one as
 * many others. It judges the latent, not an explanation, which is not shown (spec train-and-interpret B.9;
 * the published one does not run, texts are worded anew).
 */
import type { ChatRequest } from "../../llm/chat.ts";
import type { Example, LatentExamples } from "../example.ts";
import { share } from "../metrics/confusion_score.ts";
import {
  answerTokens,
  askedAgain,
  conversation,
  QUOTING_NOTE,
  withoutThoughts,
} from "../prompts/conversation.ts";
import { type Marked, quotedMarkedText, strongOrEqual } from "../prompts/marked_text.ts";
import type { ClassifierOptions } from "./classifier.ts";
import { markCounts, wrongMarks } from "./fuzz_marks.ts";
import { batches, latentRandom, shuffled } from "./orders.ts";
import type { ChatScorer, Question } from "./scorer.ts";

/** A question and what was answered. */
export interface IntruderRow {
  /** Texts in the order in which they were shown. */
  readonly examples: readonly string[];
  /** Quantile of the windows in which the latent fires. */
  readonly distance: number;
  /** Place of the one in which it does not. */
  readonly intruder: number;
  /** null where the answer was of no use. */
  readonly prediction: number | null;
  readonly correct: boolean | null;
}

const SYSTEM = `You are an intelligent and meticulous linguistics researcher.

You will be given several numbered text examples. Portions of them are between tokens << and >>. In all examples but one these portions share a certain latent, a pattern of language. Your task is to find the intruder, the one example that does not share it.

Write the number of the intruder on the last line of your answer, as [RESPONSE]: 2.

`;

const SCHEMA = {
  name: "intruder",
  schema: {
    type: "object",
    properties: { intruder: { type: "integer" } },
    required: ["intruder"],
    additionalProperties: false,
  },
} as const;

/** Asks for one intruder among `examplesPerPrompt` windows, as often as there are windows for it. */
export function intruder(options: ClassifierOptions): ChatScorer<IntruderRow> {
  return {
    asks: "chat",
    name: "intruder",
    usesExplanation: false,
    questions: (latent) => companies(latent, options).map((company) => question(company, options)),
    file: (rows) => rows,
    score(rows) {
      const scored = rows.filter(({ correct }) => correct !== null);
      const hits = scored.filter(({ correct }) => correct).length;
      return {
        scored: scored.length,
        failed: rows.length - scored.length,
        metrics: { accuracy: share(hits, scored.length) },
        main: "accuracy",
      };
    },
  };
}

/** Windows that are shown together, the intruder's place among them. */
interface Company {
  readonly examples: readonly Example[];
  readonly texts: readonly string[];
  readonly distance: number;
  readonly intruder: number;
}

function companies(
  { latent, test, nonActivating }: LatentExamples,
  { examplesPerPrompt, seed }: ClassifierOptions,
): Company[] {
  const random = latentRandom(seed, latent);
  const others = examplesPerPrompt - 1;
  const intruders = shuffled(random, nonActivating);
  const quantiles = [...new Set(test.map(({ distance }) => distance))].sort((a, b) => a - b);
  return quantiles
    .flatMap((quantile) =>
      batches(shuffled(random, test.filter(({ distance }) => distance === quantile)), others)
    )
    .filter((company) => others > 0 && company.length === others)
    .slice(0, intruders.length)
    .map((company, i) => {
      const place = Math.floor(random() * examplesPerPrompt);
      const [count] = markCounts(random, company, 1);
      const marked = company.map((example) => text(example, strongOrEqual(example)));
      const wrong = text(intruders[i], wrongMarks(random, intruders[i], count) ?? (() => false));
      return {
        examples: company.toSpliced(place, 0, intruders[i]),
        texts: marked.toSpliced(place, 0, wrong),
        distance: company[0].distance,
        intruder: place,
      };
    });
}

function text({ tokens }: Example, marked: Marked): string {
  return quotedMarkedText(tokens, marked);
}

function question(company: Company, options: ClassifierOptions): Question<IntruderRow> {
  const { texts } = company;
  const lines = texts.map((text, i) => `Example ${i}: ${text}\n`);
  const request: ChatRequest = {
    messages: conversation(SYSTEM + QUOTING_NOTE, [], `Text examples:\n\n${lines.join("")}`),
    maxTokens: answerTokens(options),
    temperature: 0,
    schema: SCHEMA,
  };
  const nudge =
    `Your last answer could not be read. Answer with one line: [RESPONSE]: and a number ` +
    `from 0 to ${texts.length - 1}.`;
  const row = (prediction: number | null): IntruderRow => ({
    examples: texts,
    distance: company.distance,
    intruder: company.intruder,
    prediction,
    correct: prediction === null ? null : prediction === company.intruder,
  });
  return {
    examples: company.examples,
    request: (attempt) => attempt === 0 ? request : askedAgain(request, attempt, nudge),
    read({ text }) {
      const prediction = intruderReply(text, texts.length);
      return prediction === undefined ? undefined : [row(prediction)];
    },
    unanswered: () => [row(null)],
  };
}

/** The number after the last marker, or that of a JSON answer, if it is one of `count` places. */
export function intruderReply(text: string, count: number): number | undefined {
  const places = withoutThoughts(text)
    .matchAll(/(?:\[RESPONSE\]|"intruder")[\s*]*:[\s*[]*(\d+)/gi);
  const last = [...places].at(-1)?.[1];
  return last !== undefined && Number(last) < count ? Number(last) : undefined;
}
