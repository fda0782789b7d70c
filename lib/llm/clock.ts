/** Time as waiting and limits see it; tests give one that jumps instead of passing. */
export interface Clock {
  /** Milliseconds since some fixed moment. */
  now(): number;
  /** Waits so many milliseconds, or until the signal is aborted; it does not say which. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** The clock of the machine. */
export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  sleep(milliseconds, signal) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    const wake = () => resolve();
    signal?.addEventListener("abort", wake);
    return promise.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", wake);
    });
  },
};
