/** What it means when an endpoint says no: try again, give up on the question, or end the run. */
import { z } from "zod";
import { InputError } from "../formats/input_error.ts";
import type { EndpointAddress } from "./address.ts";
import { keyVariables } from "./api_key.ts";
import { BudgetSpent, ChatFailure } from "./chat.ts";
import type { Answer } from "./request.ts";
import { retryAfter, Setback } from "./setback.ts";

/** A no, with the endpoint's own words. */
export interface Refusal {
  readonly status: number;
  /** The endpoint's words, one line; empty if it has none. */
  readonly said: string;
  /** A name such as `insufficient_quota`; empty if it has none. */
  readonly code: string;
  readonly retryAfter: string | null;
}

/**
 * Errors as OpenAI writes them, and those who imitate it: a code may be a number or a name, the error
 * a mere text.
 */
const ErrorBody = z.object({
  error: z.union([
    z.string().transform((message) => ({ message, code: undefined, type: undefined })),
    z.object({
      message: z.string().optional(),
      code: z.union([z.string(), z.number()]).nullish(),
      type: z.string().nullish(),
    }),
  ]),
});

/** The refusal in an answer, which may come with status 200; undefined where it is none. */
export function refusalIn({ status, retryAfter, value, text }: Answer): Refusal | undefined {
  const error = ErrorBody.safeParse(value).data?.error;
  const well = status >= 200 && status < 300;
  if (well && error === undefined) return undefined;
  const numeric = Number(error?.code);
  return {
    // OpenRouter has given its 200 before it knows
    status: !well ? status : numeric >= 400 && numeric < 600 ? numeric : 500,
    said: oneLine(error?.message ?? (well ? "" : text)),
    code: String(error?.code ?? error?.type ?? ""),
    retryAfter,
  };
}

/** The question was too early, too slow or in the way of another one. */
const PASSING = new Set([408, 409, 425, 429]);
/** A gateway lost patience with a server that may go on and charge. */
const PERHAPS_PAID = new Set([502, 504, 520, 522, 524]);
/** The longest wait that an endpoint can ask for, in milliseconds. */
const LONGEST_WAIT = 600_000;

/**
 * What to throw for a refusal: a Setback where trying again may help; a ChatFailure where this
 * question is the trouble; BudgetSpent where the account is empty; an InputError where nothing can
 * be asked before somebody mends an option.
 *
 * @param attempts requests that were sent for the question
 * @param now milliseconds since 1970
 */
export function whatItMeans(
  refusal: Refusal,
  { base, host, key }: EndpointAddress,
  attempts: number,
  now: number,
): Error {
  const { status, said, code } = refusal;
  const words = said === "" ? "" : ` (“${said}”)`;
  const refuses = `${base} refuses with status ${status}${words}`;
  if (status === 402 || code === "insufficient_quota") {
    return new BudgetSpent(`${refuses}: the account is out of credit; fill it up to go on.`);
  }
  if (status === 401) {
    const variables = keyVariables(host).join(" or ");
    return new InputError(
      `${refuses}; ${
        key
          ? `check the key in ${key.variable}`
          : `set ${variables} in the environment to a key for it`
      }.`,
    );
  }
  if (status === 404) {
    return new InputError(`${refuses}; check --base-url and the name of the model.`);
  }
  if (!PASSING.has(status) && status < 500) {
    return new ChatFailure(`${refuses}; ${adviceOn(status)}.`, attempts);
  }
  const wait = retryAfter(refusal.retryAfter, now);
  if (wait > LONGEST_WAIT) {
    const minutes = Math.ceil(wait / 60_000);
    return new ChatFailure(`${refuses} for ${minutes} minutes; run again then.`, attempts);
  }
  const advice = status === 429
    ? "lower --requests-per-minute or --concurrency"
    : "run again later";
  return new Setback(`${refuses}; ${advice}.`, { wait, perhapsPaid: PERHAPS_PAID.has(status) });
}

function adviceOn(status: number): string {
  if (status === 403) return "the question or the model is not allowed for this account";
  if (status === 413) return "use fewer or shorter examples";
  return "check that the model takes questions of this length and kind";
}

/** The start of a text without line ends and controls: it goes to terminals and lists. */
function oneLine(text: string, limit = 300): string {
  const line = text.slice(0, 4 * limit).replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\s]+/gu, " ")
    .trim().replace(/\.$/, "");
  return (line.length > limit ? `${line.slice(0, limit)}…` : line).toWellFormed();
}
