/** Questions in an endpoint's own terms: what is sent, what may come back, what that may cost. */
import type { z } from "zod";
import type { Usage } from "./chat.ts";
import type { Prices } from "./prices.ts";
import type { Refusal } from "./refusal.ts";

/** What an answer says, and what it cost. */
export interface Reading<T> {
  /** Kept on disk: a JSON value. */
  readonly value: T;
  /** As the endpoint tells, or guessed from the texts. */
  readonly usage: Usage;
  readonly usageTold: boolean;
  /** What the endpoint says that it charged. */
  readonly dollars?: number;
}

/** A question in the endpoint's own terms. */
export interface Inquiry<T> {
  /** Below the base URL. */
  readonly path: string;
  /** What the answer depends on, besides the endpoint: a JSON value. */
  readonly identity: unknown;
  /** The most tokens that question and answer can have. */
  readonly most: Usage;
  /** About how many they have, for limits of a minute. */
  readonly rough: Usage;
  /** Undefined where nobody has told them. */
  readonly prices: Prices | undefined;
  /** The body to send, made anew for every attempt. */
  body(): Readonly<Record<string, unknown>>;
  /** Whether it can be asked in another way after this refusal; `body` then gives that way. */
  concede?(body: Readonly<Record<string, unknown>>, refusal: Refusal): boolean;
  /** @returns undefined when it is not an answer */
  read(answer: unknown): Reading<T> | undefined;
  readonly kept: z.ZodType<T>;
  /** Answers to parts of it that are kept in its place, each to be found by its identity. */
  parts?(value: T): readonly { readonly identity: unknown; readonly value: unknown }[];
}

/** An answer, and whether it was there before. */
export interface Answered<T> {
  readonly value: T;
  readonly cached: boolean;
}
