/** Options of steps that ask a language model. */
import type { Command } from "@commander-js/extra-typings";
import type { OptionValues } from "commander";
import { integer, number } from "../cli/values.ts";
import { InputError } from "../formats/input_error.ts";
import type { Prices } from "./prices.ts";

/** What {@linkcode withEndpointOptions} is parsed to. */
export interface EndpointOptions {
  baseUrl?: string;
  explainerModel: string;
  /** Seconds. */
  requestTimeout: number;
  maxAttempts: number;
  concurrency: number;
  requestsPerMinute?: number;
  tokensPerMinute?: number;
  /** US dollars. */
  maxCost?: number;
  maxTotalTokens?: number;
  /** US dollars per million tokens, as the other prices. */
  promptPrice?: number;
  completionPrice?: number;
  embeddingPrice?: number;
  requestCache?: string;
}

/** A step's command, with what its options are parsed to. */
type StepOf<O extends OptionValues> = Command<[], O>;

/**
 * Adds what names an endpoint, and what asking it may take.
 *
 * @param explainerModel the model when none is named
 */
export function withEndpointOptions<O extends OptionValues>(
  command: StepOf<O>,
  explainerModel = "openai/gpt-4.1",
): StepOf<O & EndpointOptions> {
  return untyped(command)
    .option(
      "--base-url <url>",
      "endpoint that speaks OpenAI's chat completions: https://openrouter.ai/api/v1 (key in " +
        "OPENROUTER_API_KEY), https://api.openai.com/v1 (OPENAI_API_KEY), any other, such as " +
        "http://127.0.0.1:8080/v1 of llama.cpp, vLLM or Ollama (BABELSCOPE_API_KEY, if it needs one)",
    )
    .option(
      "--explainer-model <name>",
      "the model to ask, as the endpoint calls it",
      explainerModel,
    )
    .option(
      "--request-timeout <seconds>",
      "how long an answer may take",
      number({ min: 0.001, max: 86_400 }),
      100,
    )
    .option("--max-attempts <n>", "requests for one question", integer({ min: 1, max: 100 }), 6)
    .option("--concurrency <n>", "most questions at once", integer({ min: 1, max: 1024 }), 4)
    .option(
      "--requests-per-minute <n>",
      "most questions in a minute (default: no bound)",
      integer({ min: 1 }),
    )
    .option(
      "--tokens-per-minute <n>",
      "most tokens in a minute, of questions and the longest that answers may be (default: no bound)",
      integer({ min: 1 }),
    )
    .option(
      "--max-cost <dollars>",
      "money of this run; no question is asked whose answer could pass it (default: no bound)",
      number({ min: 0 }),
    )
    .option(
      "--max-total-tokens <n>",
      "tokens of this run, likewise (default: no bound)",
      integer({ min: 0 }),
    )
    .option(
      "--prompt-price <dollars>",
      "of a million tokens of questions (default: as the endpoint tells, where it does)",
      number({ min: 0 }),
    )
    .option("--completion-price <dollars>", "of a million tokens of answers", number({ min: 0 }))
    .option("--embedding-price <dollars>", "of a million embedded tokens", number({ min: 0 }))
    .option(
      "--request-cache <folder>",
      "where answers are kept, so that no question is paid twice (default: in the user's cache)",
    );
}

/**
 * Prices of chat in the options; undefined if none are given.
 *
 * @throws InputError when only one of the two is given
 */
export function chatPrices({ promptPrice, completionPrice }: EndpointOptions): Prices | undefined {
  if (promptPrice === undefined && completionPrice === undefined) return undefined;
  if (promptPrice === undefined || completionPrice === undefined) {
    throw new InputError(
      "Only one price is given; give both --prompt-price and --completion-price.",
    );
  }
  return { prompt: promptPrice, completion: completionPrice };
}

/** The price of embeddings in the options. */
export function embeddingPrices({ embeddingPrice }: EndpointOptions): Prices | undefined {
  return embeddingPrice === undefined ? undefined : { prompt: embeddingPrice, completion: 0 };
}

// deno-lint-ignore no-explicit-any -- as commander itself declares a command
function untyped(command: unknown): any {
  return command;
}
