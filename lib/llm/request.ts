/** One request to an endpoint and its whole answer, bounded in time and size. */
import { InputError } from "../formats/input_error.ts";
import type { EndpointAddress } from "./address.ts";
import type { ApiKey } from "./api_key.ts";
import { Setback } from "./setback.ts";

/** How an endpoint is spoken to. */
export interface Connection {
  readonly address: EndpointAddress;
  /** Where this machine is asked, {@linkcode directClient}. */
  readonly client?: Deno.HttpClient;
  /** Milliseconds until an answer has to be there as a whole. */
  readonly timeout: number;
}

/** An answer as it came, with the key taken out of it. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly text: string;
  /** Of the text as JSON; undefined if it is none. */
  readonly value: unknown;
}

/** Bytes of an answer: the longest are vectors of embeddings, 20 bytes a number. */
const LONGEST_ANSWER = 1 << 26;

/**
 * Sends one request. The key goes to the endpoint's own host alone: redirects are not followed.
 *
 * @param path below the base, such as `chat/completions`
 * @param body sent as JSON by POST; without one it is a GET
 * @throws Setback when there is no whole answer; InputError when the endpoint is elsewhere
 */
export async function sendRequest(
  { address, client, timeout }: Connection,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const headers = new Headers({ accept: "application/json" });
  if (body !== undefined) headers.set("content-type", "application/json");
  if (address.key) headers.set("authorization", address.key.authorization);
  const signal = AbortSignal.timeout(timeout);
  let answered = false;
  try {
    const response = await fetch(
      `${address.base}/${path}`,
      {
        method: body === undefined ? "GET" : "POST",
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        redirect: "manual",
        signal,
        client,
      } as RequestInit & { client?: Deno.HttpClient },
    );
    answered = true;
    if (response.status >= 300 && response.status < 400) await refuseRedirect(address, response);
    const text = await boundedText(address, response);
    return {
      status: response.status,
      retryAfter: response.headers.get("retry-after"),
      text: address.key?.redact(text) ?? text,
      value: parsed(text, address.key),
    };
  } catch (error) {
    if (error instanceof InputError || error instanceof Setback) throw error;
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw noAnswer(address, error, { timeout, answered });
  }
}

/** The value of a JSON text; undefined where it is none. The key is taken out, however it is spelt. */
function parsed(text: string, key: ApiKey | undefined): unknown {
  const redacted = (_: string, value: unknown) =>
    typeof value === "string" ? key?.redact(value) : value;
  try {
    return JSON.parse(text, key && redacted);
  } catch {
    return undefined;
  }
}

async function refuseRedirect({ base }: EndpointAddress, response: Response): Promise<never> {
  await response.body?.cancel();
  const to = URL.parse(response.headers.get("location") ?? "", base);
  throw new InputError(
    `${base} answers that it is elsewhere${to ? `, at ${to.origin}` : ""}; a key is ` +
      `not sent after redirects, so name the right address with --base-url.`,
  );
}

async function boundedText({ base }: EndpointAddress, response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    // leaving the loop cancels the rest
    if (length > LONGEST_ANSWER) {
      throw new Setback(`${base} answers with more than ${LONGEST_ANSWER} bytes.`, {
        perhapsPaid: response.ok,
      });
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function noAnswer(
  { base }: EndpointAddress,
  error: unknown,
  { timeout, answered }: { timeout: number; answered: boolean },
): Setback {
  const { name, message, cause } = error as Error;
  if (name === "TimeoutError") {
    return new Setback(
      `${base} gave no whole answer within ${
        timeout / 1000
      } seconds; raise --request-timeout if it ` +
        `is slow.`,
      { perhapsPaid: true, reached: answered },
    );
  }
  const all = `${message} ${cause instanceof Error ? cause.message : ""}`;
  const unreached = UNREACHED.find(([pattern]) => pattern.test(all));
  if (unreached) {
    return new Setback(
      `${base} cannot be reached (${unreached[1]}); check that the server runs and --base-url.`,
      { reached: false },
    );
  }
  return new Setback(
    `${base} broke the connection ${answered ? "in the middle of" : "before"} its answer.`,
    { perhapsPaid: true, reached: answered },
  );
}

/** Words of failures in which the question never arrived. */
const UNREACHED: readonly [RegExp, string][] = [
  [/dns error|failed to lookup/i, "its name is not known"],
  [/refused/i, "connection refused"],
  [/certificate|tls|ssl/i, "no trusted certificate"],
  [/unreachable/i, "network unreachable"],
];
