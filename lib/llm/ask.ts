/** One question to an endpoint, without patience: an answer, or what it means that there is none. */
import { InputError } from "../formats/input_error.ts";
import type { Inquiry, Reading } from "./inquiry.ts";
import { refusalIn, whatItMeans } from "./refusal.ts";
import { type Connection, sendRequest } from "./request.ts";
import { Setback } from "./setback.ts";

/** What is to be known of an attempt. */
export interface Attempt {
  /** Its number, from 1. */
  readonly attempt: number;
  /** Milliseconds since 1970. */
  now(): number;
  /** Told of every request before it is sent. */
  sent(): void;
}

/**
 * Asks; where the endpoint does not take a part of the question, asks again without it.
 *
 * @throws Setback when another attempt may help, else as {@linkcode whatItMeans} says
 */
export async function ask<T>(
  connection: Connection,
  inquiry: Inquiry<T>,
  { attempt, now, sent }: Attempt,
): Promise<Reading<T>> {
  const { address } = connection;
  for (;;) {
    const body = inquiry.body();
    sent();
    const answer = await sendRequest(connection, inquiry.path, body);
    const refusal = refusalIn(answer);
    if (refusal === undefined) {
      const reading = inquiry.read(answer.value);
      if (reading !== undefined) return reading;
      throw new Setback(`${address.base} answers with something that is not an answer.`, {
        perhapsPaid: true,
      });
    }
    if (inquiry.concede?.(body, refusal)) continue;
    throw whatItMeans(refusal, address, attempt, now());
  }
}

/**
 * What the endpoint says of its models; undefined if it says nothing of them.
 *
 * @throws InputError when it cannot be reached
 */
export async function listModels(connection: Connection): Promise<unknown> {
  try {
    const { status, value } = await sendRequest(connection, "models");
    return status === 200 ? value : undefined;
  } catch (error) {
    throw error instanceof Setback ? new InputError(error.message) : error;
  }
}
