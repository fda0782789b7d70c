/** What a run may use: nothing is asked whose answer could cost more than is left. */
import { BudgetSpent } from "./chat.ts";

/** Tokens of questions and answers, and money. */
export interface Spend {
  readonly tokens: number;
  /** US dollars. */
  readonly dollars: number;
}

/** Bounds of a run; what is not given is not bounded. */
export type BudgetLimits = Partial<Spend>;

/** Counts what is used and what may yet be used by questions under way. */
export class Budget {
  readonly #limits: Spend;
  #spent: Spend = { tokens: 0, dollars: 0 };
  #reserved: Spend = { tokens: 0, dollars: 0 };
  #settled = Promise.withResolvers<void>();

  constructor({ tokens = Infinity, dollars = Infinity }: BudgetLimits) {
    this.#limits = { tokens, dollars };
  }

  /** What was used so far, as far as it is known. */
  get spent(): Spend {
    return this.#spent;
  }

  /**
   * Puts the most that an answer can cost aside. Where only what is put aside for others stands in
   * the way, waits to see what they really cost.
   *
   * @returns to be told, once, what the answer did cost; the rest is free again
   * @throws BudgetSpent when it could cost more than is left
   */
  async reserve(worst: Spend): Promise<(actual: Spend) => void> {
    while (!this.#fits(sum(this.#spent, this.#reserved, worst))) {
      if (!this.#fits(sum(this.#spent, worst))) throw new BudgetSpent(this.#refusal(worst));
      await this.#settled.promise;
    }
    this.#reserved = sum(this.#reserved, worst);
    return (actual) => {
      this.#reserved = sum(this.#reserved, { tokens: -worst.tokens, dollars: -worst.dollars });
      this.#spent = sum(this.#spent, actual);
      this.#settled.resolve();
      this.#settled = Promise.withResolvers();
    };
  }

  #fits({ tokens, dollars }: Spend): boolean {
    // sums of prices differ from each other in the last digits of doubles
    return tokens <= this.#limits.tokens && dollars <= this.#limits.dollars * (1 + 1e-9);
  }

  #refusal(worst: Spend): string {
    const short = this.#spent.tokens + worst.tokens > this.#limits.tokens
      ? `${this.#spent.tokens} of ${this.#limits.tokens} tokens are used and the next answer could ` +
        `take ${worst.tokens}; raise --max-total-tokens`
      : `${money(this.#spent.dollars)} of ${money(this.#limits.dollars)} are spent and the next ` +
        `answer could cost ${money(worst.dollars)}; raise --max-cost`;
    return `The budget of this run is used up: ${short} to go on.`;
  }
}

function sum(...spends: readonly Spend[]): Spend {
  return {
    tokens: spends.reduce((total, { tokens }) => total + tokens, 0),
    dollars: spends.reduce((total, { dollars }) => total + dollars, 0),
  };
}

/** Dollars with as many digits as small sums need. */
function money(dollars: number): string {
  return `$${dollars < 0.995 ? Number(dollars.toPrecision(2)) : dollars.toFixed(2)}`;
}
