/**
 * An OpenAI-compatible endpoint: waits for turns and money, asks, tries again, and keeps every answer.
 */
import { join } from "node:path";
import type { z } from "zod";
import { cacheFolder } from "../cli/cache.ts";
import { InputError } from "../formats/input_error.ts";
import type { Random } from "../stats/random.ts";
import { endpointAddress } from "./address.ts";
import { ask, listModels } from "./ask.ts";
import { AnswerCache } from "./answer_cache.ts";
import type { Environment } from "./api_key.ts";
import { Budget, type Spend } from "./budget.ts";
import { ChatFailure, type Usage } from "./chat.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { directClient } from "./direct_client.ts";
import { EndpointUse, type UseReport } from "./endpoint_use.ts";
import type { EndpointOptions } from "./options.ts";
import type { Answered, Inquiry, Reading } from "./inquiry.ts";
import { costOf, listedPrices, type Prices } from "./prices.ts";
import { RateLimits } from "./rate_limits.ts";
import type { Connection } from "./request.ts";
import { backOff, Setback } from "./setback.ts";

/** What an endpoint takes from its surroundings; tests give their own. */
export interface Surroundings {
  readonly environment?: Environment;
  readonly clock?: Clock;
  /** For the jitter of waits. */
  readonly random?: Random;
  /**
   * When it is aborted, no more is asked: who waits gets its reason. Questions under way are waited
   * for, since they are paid for.
   */
  readonly signal?: AbortSignal;
}

/** Questions in a row that do not even reach the endpoint, after which it counts as gone. */
const GONE = 50;

/** Attempts after which an endpoint that was never reached counts as a mistake in `--base-url`. */
const FIRST_ATTEMPTS = 2;

/** An endpoint and all that its models share: limits, budget, answers, counts. */
export class Endpoint implements Disposable {
  readonly #connection: Connection;
  readonly #cache: AnswerCache;
  readonly #limits: RateLimits;
  readonly #budget: Budget;
  readonly #use = new EndpointUse();
  readonly #options: EndpointOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #signal: AbortSignal | undefined;
  readonly #underWay = new Map<string, Promise<unknown>>();
  #unanswered = 0;
  /** Whether a question has arrived there, as far as one can tell. */
  #isThere = false;

  private constructor(
    options: EndpointOptions,
    connection: Connection,
    cache: AnswerCache,
    { clock = SYSTEM_CLOCK, random = Math.random, signal }: Surroundings,
  ) {
    this.#options = options;
    this.#connection = connection;
    this.#cache = cache;
    this.#limits = new RateLimits(options, clock, signal);
    this.#budget = new Budget({ tokens: options.maxTotalTokens, dollars: options.maxCost });
    this.#clock = clock;
    this.#random = random;
    this.#signal = signal;
  }

  /**
   * Opens the endpoint that the options name; nothing is asked yet.
   *
   * @throws InputError when none is named, its key is missing or not safe there, or the folder of
   *   answers cannot be written
   */
  static async open(options: EndpointOptions, surroundings: Surroundings = {}): Promise<Endpoint> {
    if (options.baseUrl === undefined) {
      throw new InputError(
        "No language model is named; name an endpoint with --base-url, such as " +
          "https://openrouter.ai/api/v1 or http://127.0.0.1:8080/v1, and a model with " +
          "--explainer-model.",
      );
    }
    const environment = surroundings.environment ?? ((name) => Deno.env.get(name));
    const address = endpointAddress(options.baseUrl, environment);
    const cache = await AnswerCache.open(options.requestCache ?? join(cacheFolder(), "answers"));
    const client = address.loopback ? directClient() : undefined;
    const connection = { address, client, timeout: options.requestTimeout * 1000 };
    return new Endpoint(options, connection, cache, surroundings);
  }

  /** The base URL, without secrets. */
  get base(): string {
    return this.#connection.address.base;
  }

  get host(): string {
    return this.#connection.address.host;
  }

  /** What was asked so far, and what it cost. */
  use(): UseReport {
    return this.#use.report();
  }

  /**
   * Prices of a model: as given, else as the endpoint lists them where a bound of the cost needs
   * them.
   *
   * @param given of the options; both or none
   * @throws InputError when the cost is bounded and nobody tells the prices
   */
  async pricesOf(model: string, given: Prices | undefined): Promise<Prices | undefined> {
    if (given !== undefined || this.#options.maxCost === undefined) return given;
    const prices = listedPrices(await listModels(this.#connection), model);
    if (prices !== undefined) return prices;
    throw new InputError(
      `${this.base} does not tell what ${model} costs, which --max-cost needs; give the prices in ` +
        `dollars per million tokens with --prompt-price and --completion-price (--embedding-price ` +
        `for embeddings), 0 for a server of your own.`,
    );
  }

  /**
   * The answer: kept from before, or under way already, or asked for now. It is on disk before
   * anyone sees it.
   *
   * @throws ChatFailure, BudgetSpent, as {@linkcode ChatModel} says
   * @throws InputError when nothing can be asked before somebody mends an option: a wrong key, no such
   *   model, an endpoint that is gone
   */
  async answer<T>(inquiry: Inquiry<T>): Promise<Answered<T>> {
    const key = this.#key(inquiry.identity);
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) {
      const { value } = await (underWay as Promise<Answered<T>>);
      this.#use.cached++;
      return { value, cached: true };
    }
    const asked = this.#lookUpOrAsk(inquiry);
    this.#underWay.set(key, asked);
    try {
      return await asked;
    } finally {
      this.#underWay.delete(key);
    }
  }

  /** The answer to a part of a question, if it is kept. */
  async recall<T>(identity: unknown, kept: z.ZodType<T>): Promise<T | undefined> {
    const value = await this.#cache.get(this.#key(identity), kept);
    if (value !== undefined) this.#use.cached++;
    return value;
  }

  #key(identity: unknown): string {
    return AnswerCache.key({ base: this.base, question: identity });
  }

  async #keep<T>(inquiry: Inquiry<T>, value: T): Promise<void> {
    const parts = inquiry.parts?.(value) ?? [{ identity: inquiry.identity, value }];
    await Promise.all(parts.map((part) => this.#cache.put(this.#key(part.identity), part.value)));
  }

  async #lookUpOrAsk<T>(inquiry: Inquiry<T>): Promise<Answered<T>> {
    const kept = await this.recall(inquiry.identity, inquiry.kept);
    if (kept !== undefined) return { value: kept, cached: true };
    try {
      const value = await this.#persist(inquiry);
      this.#unanswered = 0;
      return { value, cached: false };
    } catch (error) {
      if (error instanceof ChatFailure) this.#use.failed++;
      throw error;
    }
  }

  /** Asks until there is an answer, or no hope of one. */
  async #persist<T>(inquiry: Inquiry<T>): Promise<T> {
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#attempt(inquiry, attempt);
      } catch (error) {
        if (!(error instanceof Setback)) throw error;
        this.#isThere ||= error.reached || error.perhapsPaid;
        const most = this.#isThere ? Infinity : FIRST_ATTEMPTS;
        if (attempt >= Math.min(most, this.#options.maxAttempts)) {
          throw this.#giveUp(error, attempt);
        }
        this.#use.retried++;
        await this.#clock.sleep(
          Math.max(error.wait, backOff(attempt, this.#random)),
          this.#signal,
        );
      }
    }
  }

  #giveUp({ message, reached }: Setback, attempts: number): Error {
    if (!this.#isThere) return new InputError(message);
    this.#unanswered = reached ? 0 : this.#unanswered + 1;
    if (this.#unanswered < GONE) return new ChatFailure(message, attempts);
    return new InputError(
      `${
        message.replace(/\.$/, "")
      }; ${GONE} questions in a row did not reach it, so the run ends ` +
        `here, and goes on when it is run again.`,
    );
  }

  /** One request, or more where the endpoint has to be asked in another way. */
  async #attempt<T>(inquiry: Inquiry<T>, attempt: number): Promise<T> {
    const { promptTokens, completionTokens } = inquiry.rough;
    using _turn = await this.#limits.turn(promptTokens + completionTokens);
    const worst = spendOf(inquiry.most, inquiry.prices);
    const settle = await this.#budget.reserve(worst);
    let spend: Spend = { tokens: 0, dollars: 0 };
    try {
      const reading = await ask(this.#connection, inquiry, {
        attempt,
        now: () => this.#clock.now(),
        sent: () => this.#use.sent++,
      });
      this.#isThere = true;
      spend = this.#paid(reading, inquiry, worst);
      await this.#keep(inquiry, reading.value);
      return reading.value;
    } catch (error) {
      if (!(error instanceof Setback)) throw error;
      // before the turn passes to the next in line
      if (error.wait > 0) this.#limits.pause(error.wait);
      if (error.perhapsPaid) {
        spend = worst;
        this.#use.perhapsPaid(worst);
      }
      throw error;
    } finally {
      settle(spend);
    }
  }

  /** Counts an answer. Where the endpoint does not tell what it took, it took the most it could. */
  #paid<T>(
    { usage, usageTold, dollars }: Reading<T>,
    { prices }: Inquiry<T>,
    worst: Spend,
  ): Spend {
    const cost = dollars ?? (prices ? costOf(usage, prices) : undefined);
    this.#use.answered(usage, cost);
    if (!usageTold) return { ...worst, dollars: dollars ?? worst.dollars };
    return { tokens: usage.promptTokens + usage.completionTokens, dollars: cost ?? 0 };
  }

  [Symbol.dispose](): void {
    this.#connection.client?.close();
  }
}

function spendOf(usage: Usage, prices: Prices | undefined): Spend {
  return {
    tokens: usage.promptTokens + usage.completionTokens,
    dollars: prices ? costOf(usage, prices) : 0,
  };
}
