/** Not too many questions at once, nor in a minute. */
import type { Clock } from "./clock.ts";

/** Bounds; those of a minute only where given. */
export interface Rates {
  /** Questions under way at any time. */
  readonly concurrency: number;
  readonly requestsPerMinute?: number;
  /** As providers count them: of the question, and the most that its answer may have. */
  readonly tokensPerMinute?: number;
}

const MINUTE = 60_000;

/** Gives turns in the order in which they are asked for. */
export class RateLimits {
  readonly #rates: Required<Rates>;
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  /** Turns of the last minute. */
  #begun: { readonly at: number; readonly tokens: number }[] = [];
  #running = 0;
  #pausedUntil = 0;
  #line: Promise<void> = Promise.resolve();
  #freed = Promise.withResolvers<void>();

  /** @param signal ends all waiting when it is aborted */
  constructor(rates: Rates, clock: Clock, signal?: AbortSignal) {
    this.#rates = { requestsPerMinute: Infinity, tokensPerMinute: Infinity, ...rates };
    this.#clock = clock;
    this.#signal = signal;
  }

  /**
   * Waits for a turn, which lasts until it is disposed of.
   *
   * @param tokens that it may take; more than a minute's worth count as a minute's worth
   * @throws the signal's reason when it is aborted
   */
  async turn(tokens: number): Promise<Disposable> {
    const before = this.#line;
    const passed = Promise.withResolvers<void>();
    this.#line = passed.promise;
    await before;
    try {
      await this.#wait(Math.min(tokens, this.#rates.tokensPerMinute));
    } finally {
      passed.resolve();
    }
    return { [Symbol.dispose]: () => this.#end() };
  }

  /** Lets nobody begin for so many milliseconds: the endpoint asked for that. */
  pause(milliseconds: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#clock.now() + milliseconds);
  }

  async #wait(tokens: number): Promise<void> {
    for (;;) {
      this.#signal?.throwIfAborted();
      const wait = this.#until(tokens) - this.#clock.now();
      if (this.#running >= this.#rates.concurrency) await this.#freed.promise;
      else if (wait > 0) await this.#clock.sleep(wait, this.#signal);
      else break;
    }
    this.#running++;
    this.#begun.push({ at: this.#clock.now(), tokens });
  }

  /** When the bounds of a minute let the next turn begin. */
  #until(tokens: number): number {
    const { requestsPerMinute, tokensPerMinute } = this.#rates;
    this.#begun = this.#begun.filter(({ at }) => at + MINUTE > this.#clock.now());
    let until = this.#pausedUntil;
    let requests = this.#begun.length + 1;
    let load = this.#begun.reduce((sum, turn) => sum + turn.tokens, tokens);
    for (const turn of this.#begun) {
      if (requests <= requestsPerMinute && load <= tokensPerMinute) break;
      until = Math.max(until, turn.at + MINUTE);
      requests--;
      load -= turn.tokens;
    }
    return until;
  }

  #end(): void {
    this.#running--;
    this.#freed.resolve();
    this.#freed = Promise.withResolvers();
  }
}
