/** Failures that may pass, and how long to wait for that. */

import { InputError } from "../../formats/input_error.ts";

/** A failure that another attempt may mend. */
export class Setback extends Error {
  override readonly name = "Setback";

  /**
   * @param sentence what to say when no attempt mends it, as the message of an InputError
   * @param wait milliseconds that the server asks to wait
   */
  constructor(readonly sentence: string, readonly wait = 0) {
    super(sentence);
  }
}

/** All attempts ended in setbacks: the hub cannot be reached or is in trouble. */
export class OutOfPatience extends InputError {}

/** The longest wait that a server can ask for, in milliseconds: the hub counts in five minutes. */
const LONGEST_WAIT = 300_000;

/** How often and after what waits to try again. */
export interface Patience {
  /** Milliseconds before each further attempt. */
  readonly delays: readonly number[];
  /** Waits so many milliseconds. */
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** Six attempts in 15.5 seconds, unless the server asks for longer waits. */
export const PATIENCE: Patience = {
  delays: [500, 1000, 2000, 4000, 8000],
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

/**
 * Waits before another attempt, after so many setbacks in a row.
 *
 * @throws OutOfPatience when there have been too many, or the wait asked for is too long
 */
export async function pause(
  { delays, sleep }: Patience,
  setbacks: number,
  { sentence, wait }: Setback,
): Promise<void> {
  const delay = delays[setbacks - 1];
  if (delay === undefined || wait > LONGEST_WAIT) throw new OutOfPatience(sentence);
  await sleep(Math.max(delay, wait));
}

/**
 * Tries until there is no setback.
 *
 * @throws OutOfPatience when there have been too many; whatever else `attempt` throws
 */
export async function persist<T>(patience: Patience, attempt: () => Promise<T>): Promise<T> {
  for (let setbacks = 1;; setbacks++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Setback)) throw error;
      await pause(patience, setbacks, error);
    }
  }
}
