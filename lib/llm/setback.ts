/** Failures of one request that another may mend, and how long to wait before it. */
import type { Random } from "../stats/random.ts";

/** A failure that may pass. */
export class Setback extends Error {
  override readonly name = "Setback";
  /** Milliseconds that the endpoint asks to wait; 0 if it does not. */
  readonly wait: number;
  /** Whether an answer may have been made, and charged, that did not arrive whole. */
  readonly perhapsPaid: boolean;
  /** Whether the endpoint was there at all. */
  readonly reached: boolean;

  /** @param message the sentence to fail with when no attempt mends it */
  constructor(
    message: string,
    more: { wait?: number; perhapsPaid?: boolean; reached?: boolean } = {},
  ) {
    super(message);
    this.wait = more.wait ?? 0;
    this.perhapsPaid = more.perhapsPaid ?? false;
    this.reached = more.reached ?? true;
  }
}

/** First and longest wait of one's own, in milliseconds. */
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 60_000;

/**
 * Milliseconds before the next attempt after so many setbacks: doubled every time, and drawn from
 * the upper half of that, so that questions that failed together do not come back together.
 */
export function backOff(setbacks: number, random: Random): number {
  const wait = Math.min(FIRST_WAIT * 2 ** (setbacks - 1), LONGEST_WAIT);
  return wait * (0.5 + 0.5 * random());
}

/**
 * Milliseconds that a header `Retry-After` asks for, which has seconds or a date (RFC 9110, 10.2.3);
 * 0 for anything else.
 *
 * @param now milliseconds since 1970
 */
export function retryAfter(header: string | null, now: number): number {
  if (header === null) return 0;
  const text = header.trim();
  const wait = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(wait) ? Math.max(wait, 0) : 0;
}
