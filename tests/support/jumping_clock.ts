/** Time for tests: nobody waits; when nothing else is left to do, it jumps to whoever wakes first. */
import type { Clock } from "../../lib/llm/clock.ts";

/** A clock that jumps. */
export class JumpingClock implements Clock {
  /** Milliseconds of every sleep, in the order in which they began. */
  readonly sleeps: number[] = [];
  #now: number;
  readonly #sleepers: { readonly until: number; readonly wake: () => void }[] = [];

  /** @param now milliseconds since 1970 */
  constructor(now = 0) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(milliseconds);
    const { promise, resolve } = Promise.withResolvers<void>();
    signal?.addEventListener("abort", () => resolve());
    this.#sleepers.push({ until: this.#now + milliseconds, wake: resolve });
    setTimeout(() => this.#jump(), 0);
    return promise;
  }

  #jump(): void {
    this.#sleepers.sort((a, b) => a.until - b.until);
    const first = this.#sleepers.shift()!;
    this.#now = Math.max(this.#now, first.until);
    first.wake();
  }
}
