/** What a run asked of an endpoint, and what that cost. */
import type { Spend } from "./budget.ts";
import type { Usage } from "./chat.ts";

/** Counts of a run, for run.json. Tokens and money are those of this run: kept answers cost nothing. */
export interface UseReport {
  /** Questions that were answered by the endpoint. */
  readonly asked: number;
  /** Questions whose answer was there, from an earlier run or an equal question of this one; texts, of embeddings. */
  readonly cached: number;
  /** Requests that were sent, with those that failed. */
  readonly sent: number;
  /** Attempts after a failed one. */
  readonly retried: number;
  /** Questions that stayed without an answer. */
  readonly failed: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** US dollars; null where neither the endpoint nor an option tells prices. */
  readonly dollars: number | null;
  /**
   * The most that answers can have cost which were made, perhaps, and did not arrive. The budget
   * counts them. Without prices, no dollars.
   */
  readonly perhapsPaid: { readonly requests: number } & Spend;
}

/** Counts while questions are asked. */
export class EndpointUse {
  cached = 0;
  sent = 0;
  retried = 0;
  failed = 0;
  #asked = 0;
  #usage: Usage = { promptTokens: 0, completionTokens: 0 };
  #dollars: number | null = 0;
  #perhapsPaid = { requests: 0, tokens: 0, dollars: 0 };

  /** @param dollars undefined where nobody tells */
  answered({ promptTokens, completionTokens }: Usage, dollars: number | undefined): void {
    this.#asked++;
    this.#usage = {
      promptTokens: this.#usage.promptTokens + promptTokens,
      completionTokens: this.#usage.completionTokens + completionTokens,
    };
    this.#dollars = dollars === undefined || this.#dollars === null
      ? null
      : this.#dollars + dollars;
  }

  perhapsPaid({ tokens, dollars }: Spend): void {
    this.#perhapsPaid.requests++;
    this.#perhapsPaid.tokens += tokens;
    this.#perhapsPaid.dollars += dollars;
  }

  report(): UseReport {
    return {
      asked: this.#asked,
      cached: this.cached,
      sent: this.sent,
      retried: this.retried,
      failed: this.failed,
      ...this.#usage,
      dollars: this.#dollars,
      perhapsPaid: { ...this.#perhapsPaid },
    };
  }
}
