/**
 * Simulation: which activation has each token, going by the explanation? Pearson's correlation of the
 * answers with what is so (Bills et al. 2023; spec train-and-interpret B.9, JSON mode: it needs no
 * probabilities of tokens, which endpoints do not give). Texts of the prompt are worded anew.
 */
import type { ChatRequest } from "../../llm/chat.ts";
import type { Example } from "../example.ts";
import { correlation, correlationEstimate, type Pairs } from "../metrics/correlation_estimate.ts";
import {
  answerTokens,
  askedAgain,
  conversation,
  withoutThoughts,
} from "../prompts/conversation.ts";
import type { Shot } from "../prompts/prompt_texts.ts";
import type { ClassifierOptions } from "./classifier.ts";
import { latentShuffle } from "./orders.ts";
import type { ChatScorer, Question } from "./scorer.ts";

/** A window with its activations as simulated. */
export interface SimulatedExample {
  readonly example: Example;
  /** 0 to 10 per token; null where the answer was of no use. */
  readonly expected: readonly number[] | null;
}

/** An entry of a score file: all windows together (`distance` 0) or a quantile (from 1). */
export interface SimulationScore {
  readonly distance: number;
  readonly scored_sequence_simulations: readonly ScoredSimulation[];
  readonly ev_correlation_score: number | "nan";
  readonly rsquared_score: 0;
  readonly absolute_dev_explained_score: 0;
}

/** One window of an entry. */
export interface ScoredSimulation {
  readonly distance: number;
  readonly simulation: {
    readonly tokens: readonly string[];
    readonly expected_activations: readonly number[];
  };
  readonly true_activations: readonly number[];
  readonly ev_correlation_score: number | "nan";
  readonly rsquared_score: 0;
  readonly absolute_dev_explained_score: 0;
}

/** Largest activation of the scale. */
const SCALE = 10;
/** Tokens of an answer per token of the window: the token again, its number, and JSON around them. */
const ANSWER_TOKENS_PER_TOKEN = 24;

const SYSTEM =
  `A feature of a neural network fires on certain tokens of texts. You will be given a description of what it fires on, a document, and the document's tokens with their activations left blank (null).

Return the same JSON object {"activations": [...]} with the same tokens in the same order, every activation filled in with a whole number from 0 (does not fire) to 10 (fires most), as the description lets you expect. Most tokens have 0. Think of the order and the context of the tokens. Do not return anything else.
`;

const SHOTS: readonly Shot[] = [
  shot("names of colours", [["The", 0], [" sky", 0], [" was", 0], [" blue", 9], [" again", 0]]),
  shot("the verb after a modal verb", [["You", 0], [" must", 0], [" go", 8], [" now", 0]]),
  shot("text about cooking", [["Stocks", 0], [" fell", 0], [" on", 0], [" Monday", 0]]),
];

const SCHEMA = {
  name: "activations",
  schema: {
    type: "object",
    properties: {
      activations: {
        type: "array",
        items: {
          type: "object",
          properties: { token: { type: "string" }, activation: { type: "integer" } },
          required: ["token", "activation"],
          additionalProperties: false,
        },
      },
    },
    required: ["activations"],
    additionalProperties: false,
  },
} as const;

/** Asks about one window at a time. */
export function simulation(options: ClassifierOptions): ChatScorer<SimulatedExample> {
  const shuffle = latentShuffle(options.seed);
  return {
    asks: "chat",
    name: "simulation",
    usesExplanation: true,
    questions: (latent, explanation) =>
      shuffle(latent.latent, [...latent.nonActivating, ...latent.test])
        .map((example) => question(example, explanation, options)),
    file: simulationScores,
    score(rows) {
      const scored = rows.filter(isScored);
      return {
        scored: scored.length,
        failed: rows.length - scored.length,
        metrics: { ev_correlation_score: correlationEstimate(scored.map(pairs)) },
        main: "ev_correlation_score",
      };
    },
  };
}

function question(
  example: Example,
  explanation: string,
  options: ClassifierOptions,
): Question<SimulatedExample> {
  const count = example.tokens.length;
  const request: ChatRequest = {
    messages: conversation(
      SYSTEM,
      SHOTS,
      toFill(explanation, example.tokens),
    ),
    maxTokens: Math.max(answerTokens(options), ANSWER_TOKENS_PER_TOKEN * count),
    temperature: 0,
    schema: SCHEMA,
  };
  const nudge =
    `Your last answer could not be read. Answer with {"activations": [...]} that lists ` +
    `all ${count} tokens, each with a whole number from 0 to 10.`;
  const zeros = Array<number>(count).fill(0);
  const unanswered = [{ example, expected: options.compat === "paper" ? zeros : null }];
  return {
    examples: [example],
    request: (attempt) => attempt === 0 ? request : askedAgain(request, attempt, nudge),
    read({ text }) {
      const expected = simulatedActivations(text, count);
      if (expected !== undefined) return [{ example, expected }];
      return options.compat === "paper" ? unanswered : undefined;
    },
    unanswered: () => unanswered,
  };
}

/** The activations of an answer; undefined if they are not one number from 0 to 10 for every token. */
export function simulatedActivations(text: string, count: number): number[] | undefined {
  const answer = withoutThoughts(text);
  const json = answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1);
  const list = activationsOf(json);
  if (list === undefined || list.length !== count) return undefined;
  const values = list.map((entry: unknown) =>
    typeof entry === "object" && entry !== null && "activation" in entry ? entry.activation : entry
  );
  return values.every((value) => typeof value === "number" && value >= 0 && value <= SCALE)
    ? values as number[]
    : undefined;
}

function activationsOf(json: string): unknown[] | undefined {
  try {
    const { activations } = JSON.parse(json);
    return Array.isArray(activations) ? activations : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The entries of a score file: all windows, then each quantile of those in which the latent fires. */
export function simulationScores(rows: readonly SimulatedExample[]): SimulationScore[] {
  const quantiles = [...new Set(rows.filter(isActivating).map(({ example }) => example.distance))]
    .sort((a, b) => a - b);
  const ofQuantile = (quantile: number) =>
    rows.filter((row) => isActivating(row) && row.example.distance === quantile);
  return [entry(0, rows), ...quantiles.map((q) => entry(q + 1, ofQuantile(q)))];
}

function entry(distance: number, rows: readonly SimulatedExample[]): SimulationScore {
  const scored = rows.filter(isScored);
  return {
    distance,
    scored_sequence_simulations: scored.map((row) => ({
      distance: row.example.distance,
      simulation: { tokens: row.example.tokens, expected_activations: row.expected },
      true_activations: trueActivations(row.example),
      ...correlations([row]),
    })),
    ...correlations(scored),
  };
}

function correlations(rows: readonly ScoredRow[]) {
  const value = correlation(rows.map(pairs));
  return {
    ev_correlation_score: Number.isNaN(value) ? "nan" as const : value,
    rsquared_score: 0 as const,
    absolute_dev_explained_score: 0 as const,
  };
}

function pairs({ example, expected }: ScoredRow): Pairs {
  return [expected, trueActivations(example)];
}

/** Windows of neighbours carry the activations of the neighbour: this latent does not fire there. */
function trueActivations({ activating, activations }: Example): number[] {
  return Array.from(activations, (value) => activating ? value : 0);
}

/** A row whose answer was of use. */
interface ScoredRow extends SimulatedExample {
  readonly expected: readonly number[];
}

function isScored(row: SimulatedExample): row is ScoredRow {
  return row.expected !== null;
}

function isActivating({ example }: SimulatedExample): boolean {
  return example.activating;
}

function shot(explanation: string, tokens: readonly (readonly [string, number])[]): Shot {
  const filled = tokens.map(([token, activation]) => ({ token, activation }));
  return {
    user: toFill(explanation, tokens.map(([token]) => token)),
    assistant: JSON.stringify({ activations: filled }),
  };
}

/** The object to fill in. Its `<` are escaped, so that no text ends a turn of a chat template. */
function toFill(explanation: string, tokens: readonly string[]): string {
  const blank = {
    to_find: explanation,
    document: tokens.join(""),
    activations: tokens.map((token) => ({ token, activation: null })),
  };
  return JSON.stringify(blank).replaceAll("<", "\\u003c");
}
