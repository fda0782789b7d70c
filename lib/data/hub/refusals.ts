/**
 * What a hub says instead of what was asked for, in one sentence each. The codes are those of the
 * header `X-Error-Code`, as Python's huggingface_hub reads them (utils/_http.py, hf_raise_for_status).
 */

import { InputError } from "../../formats/input_error.ts";
import { describeRepo, type RepoRef } from "./repo.ts";
import { Setback } from "./patience.ts";

/** What was asked for, and of whom. */
export interface Asked {
  readonly ref: RepoRef;
  /** The file, unless it is the repository itself that was asked for. */
  readonly path?: string;
  readonly endpoint: string;
  /** Whether the hub was shown a token. */
  readonly withToken: boolean;
}

/** Statuses that pass: too slow, too many, and the server's own troubles. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);

/** Why a request got no proper answer: a Setback where trying again may help, else an InputError. */
export function refusal(response: Response, asked: Asked): Setback | InputError {
  const { status } = response;
  if (PASSING.has(status)) return passingRefusal(response, asked);
  // a signed address that has run out: the next attempt gets a new one
  if (new URL(response.url).origin !== new URL(asked.endpoint).origin) {
    return new Setback(
      `${new URL(response.url).host} refuses ${describeAsked(asked)} with status ${status}; try ` +
        `again later.`,
    );
  }
  return new InputError(finalSentence(response, asked));
}

function passingRefusal({ status, headers }: Response, asked: Asked): Setback {
  const wait = retryAfter(headers.get("retry-after"));
  const advice = wait > 0 ? `try again in ${Math.ceil(wait / 1000)} seconds` : "try again later";
  if (status !== 429) {
    return new Setback(
      `${asked.endpoint} is in trouble: it answers with status ${status} when asked for ` +
        `${describeAsked(asked)}; ${advice}.`,
      wait,
    );
  }
  return new Setback(
    `${asked.endpoint} has had too many requests to give ${describeAsked(asked)}; ${advice}` +
      `${asked.withToken ? "" : ", or set HF_TOKEN, which allows more"}.`,
    wait,
  );
}

/** Milliseconds of a Retry-After header, which has seconds or a date. */
function retryAfter(value: string | null): number {
  if (value === null) return 0;
  const wait = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(wait) ? Math.max(wait, 0) : 0;
}

function finalSentence({ status, headers }: Response, asked: Asked): string {
  const { ref, endpoint, withToken } = asked;
  const code = headers.get("x-error-code");
  const said = printable(headers.get("x-error-message") ?? "");
  const repo = describeRepo({ ...ref, revision: "main" });
  const page = `${endpoint}/${ref.kind === "dataset" ? "datasets/" : ""}${ref.id}`;
  if (code === "GatedRepo") {
    return withToken
      ? `Access to ${repo} is gated and the account of HF_TOKEN has none; accept the conditions ` +
        `at ${page} with that account and wait until it is let in.`
      : `Access to ${repo} is gated; accept the conditions at ${page} and set HF_TOKEN to a ` +
        `token of that account.`;
  }
  if (code === "RevisionNotFound") {
    return `There is no revision ${JSON.stringify(ref.revision)} of ${repo} on ${endpoint}; name ` +
      `a branch, tag or commit that it has.`;
  }
  if (code === "EntryNotFound") {
    return `There is no file ${JSON.stringify(asked.path)} in ${describeRepo(ref)} on ` +
      `${endpoint}; check the name and the revision.`;
  }
  if (code !== "RepoNotFound" && status === 401 && withToken) {
    return `${endpoint} does not know the token of HF_TOKEN; set a valid one ` +
      `(${endpoint}/settings/tokens) or none.`;
  }
  if (code === "RepoNotFound" || status === 401) {
    const secret = withToken ? "the token of HF_TOKEN may not see it" : "it is private";
    return `There is no ${repo.slice("the ".length)} on ${endpoint}, or ${secret}; check the name` +
      `${withToken ? " and the token's rights" : ", or set HF_TOKEN to a token that may see it"}.`;
  }
  return `${endpoint} refuses ${describeAsked(asked)} with status ${status}` +
    `${said && ` (${said})`}; check HF_ENDPOINT and the rights of HF_TOKEN.`;
}

/** What was asked for, in a sentence. */
export function describeAsked({ ref, path }: Asked): string {
  return path === undefined ? describeRepo(ref) : `${path} of ${describeRepo(ref)}`;
}

/** A server's words, fit for one line of a terminal. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- they are what is taken out
  return text.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ").trim().slice(0, 200).replace(/\.$/, "");
}
