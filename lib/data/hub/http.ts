/**
 * Requests to a hub: the token goes to the hub alone, silence ends them, and whatever may pass is
 * tried again. Bytes come through here and not through @huggingface/hub, which neither resumes a
 * download nor tries again.
 */

import { InputError } from "../../formats/input_error.ts";
import { type Patience, pause, persist, Setback } from "./patience.ts";
import { type Asked, describeAsked, refusal } from "./refusals.ts";
import { describeRepo, type RepoRef } from "./repo.ts";

/** Redirects in a row before it is taken for a circle. */
const MOST_REDIRECTS = 10;
/** Bytes of an answer of the API: a page of a listing has a thousand files, of 300 bytes each. */
const LONGEST_ANSWER = 1 << 26;
/** Bytes after whose arrival earlier setbacks are forgotten. */
const PROGRESS = 1 << 20;

/** How to speak to a hub. */
export interface HubConnection {
  /** `https://huggingface.co`, or what stands in its place; without a final slash. */
  readonly endpoint: string;
  readonly token?: string;
  readonly patience: Patience;
  /** Milliseconds of silence after which a connection counts as broken. */
  readonly silence: number;
}

/** Part of a file: bytes `from` to `to`, half open, of `size`. */
export interface Part {
  readonly from: number;
  readonly to: number;
  readonly size: number;
}

/**
 * A whole answer of the API.
 *
 * @throws InputError when the hub refuses, cannot be reached, or answers at too great a length
 */
export function fetchAnswer(hub: HubConnection, url: string, ref: RepoRef): Promise<Response> {
  const asked = askedFor(hub, ref);
  return persist(hub.patience, async () => {
    const { response, chunks } = await request(hub, new URL(url), asked, {});
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let length = 0;
    for await (const chunk of chunks) {
      parts.push(chunk);
      length += chunk.length;
      if (length > LONGEST_ANSWER) {
        throw new InputError(
          `${hub.endpoint} answers with more than ${LONGEST_ANSWER} bytes when asked for ` +
            `${describeRepo(ref)}; check HF_ENDPOINT.`,
        );
      }
    }
    return new Response(new Blob(parts), { headers: response.headers });
  });
}

/**
 * The bytes of part of a file, however often the connection breaks: each further request asks for
 * what is still missing.
 *
 * @throws InputError when the hub refuses or the connection breaks too often without progress
 */
export async function* fetchPart(
  hub: HubConnection,
  url: string,
  ref: RepoRef,
  path: string,
  { from, to, size }: Part,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const asked = askedFor(hub, ref, path);
  let at = from;
  for (let setbacks = 0; at < to;) {
    const before = at;
    try {
      const headers = { range: `bytes=${at}-${to - 1}` };
      const { response, chunks } = await request(hub, new URL(url), asked, headers);
      const first = await firstByte(response, at, size, asked);
      for await (const chunk of within(chunks, first, at, to)) {
        at += chunk.length;
        yield chunk;
      }
      if (at < to) throw brokenConnection(hub, asked);
    } catch (error) {
      if (!(error instanceof Setback)) throw error;
      setbacks = at - before >= PROGRESS ? 1 : setbacks + 1;
      await pause(hub.patience, setbacks, error);
    }
  }
}

/** Number of the first byte of an answer: a server may send the whole file instead of a part. */
async function firstByte(
  response: Response,
  at: number,
  size: number,
  asked: Asked,
): Promise<number> {
  if (response.status === 200) return 0;
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
  const [, start, total] = range ?? [];
  if (Number(start) === at && (total === "*" || Number(total) === size)) return at;
  await response.body?.cancel();
  throw new Setback(
    `${new URL(response.url).host} sends another part of ${describeAsked(asked)} than was asked ` +
      `for; try again later.`,
  );
}

/** Of chunks whose first byte has the number `first`, those from `at` to `to`. */
async function* within(
  chunks: AsyncIterable<Uint8Array<ArrayBuffer>>,
  first: number,
  at: number,
  to: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let start = first;
  for await (const chunk of chunks) {
    const wanted = chunk.subarray(Math.max(at - start, 0), Math.max(to - start, 0));
    start += chunk.length;
    if (wanted.length > 0) yield wanted;
    if (start >= to) return;
  }
}

interface Answer {
  /** With its headers; the body is what `chunks` reads. */
  readonly response: Response;
  readonly chunks: AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

/** One attempt, through all redirects. */
async function request(
  hub: HubConnection,
  start: URL,
  asked: Asked,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  let url = start;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const abort = new AbortController();
    const response = await fetchOnce(hub, url, asked, headers, abort);
    if (response.ok) return { response, chunks: chunksOf(hub, response, asked, abort) };
    await response.body?.cancel();
    const location = response.status >= 300 && response.status < 400 &&
      response.headers.get("location");
    if (!location) throw refusal(response, asked);
    url = redirected(url, location, asked);
  }
  throw new InputError(
    `${hub.endpoint} redirects in a circle when asked for ${describeAsked(asked)}; check ` +
      `HF_ENDPOINT.`,
  );
}

/** Only to the web: `fetch` would as well open a file of this machine. */
function redirected(from: URL, location: string, asked: Asked): URL {
  const to = URL.parse(location, from);
  if (to !== null && ["http:", "https:"].includes(to.protocol)) return to;
  throw new InputError(
    `${asked.endpoint} redirects to no address of the web when asked for ${describeAsked(asked)}` +
      `; check HF_ENDPOINT.`,
  );
}

async function fetchOnce(
  hub: HubConnection,
  url: URL,
  asked: Asked,
  headers: Readonly<Record<string, string>>,
  abort: AbortController,
): Promise<Response> {
  // Where large files lie is another host, and the token is none of its business.
  const trusted = url.origin === new URL(hub.endpoint).origin && hub.token !== undefined;
  const all = {
    // a compressed answer could not be continued, nor its length foretold
    "accept-encoding": "identity",
    ...headers,
    ...(trusted ? { authorization: `Bearer ${hub.token}` } : {}),
  };
  try {
    const answer = fetch(url, { headers: all, redirect: "manual", signal: abort.signal });
    return await inTime(answer, hub.silence, abort);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new Setback(
      `Cannot reach ${url.host} for ${describeAsked(asked)} (${networkReason(error)}); check the ` +
        `connection and HF_ENDPOINT, then try again.`,
    );
  }
}

async function* chunksOf(
  hub: HubConnection,
  response: Response,
  asked: Asked,
  abort: AbortController,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await inTime(reader.read(), hub.silence, abort);
      if (done) return;
      yield value;
    }
  } catch {
    throw brokenConnection(hub, asked);
  } finally {
    abort.abort();
  }
}

function brokenConnection({ endpoint }: HubConnection, asked: Asked): Setback {
  return new Setback(
    `The connection to ${endpoint} breaks again and again while ${describeAsked(asked)} arrives; ` +
      `run the same command again to go on from where it broke.`,
  );
}

/** Gives up on work that takes longer than so many milliseconds. */
async function inTime<T>(work: Promise<T>, ms: number, abort: AbortController): Promise<T> {
  const timer = setTimeout(() => abort.abort(new DOMException("silence", "TimeoutError")), ms);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

/** Why there was no answer, without the address, which may hold a signature. */
function networkReason(error: unknown): string {
  const { name, message, cause } = error as Error;
  if (name === "TimeoutError") return "no answer in time";
  const all = `${message} ${cause instanceof Error ? cause.message : ""}`;
  const reasons: [RegExp, string][] = [
    [/dns error|failed to lookup/i, "its name is not known"],
    [/refused/i, "connection refused"],
    [/certificate|tls|ssl/i, "no trusted certificate"],
    [/unreachable/i, "network unreachable"],
  ];
  return reasons.find(([pattern]) => pattern.test(all))?.[1] ?? "no connection";
}

function askedFor({ endpoint, token }: HubConnection, ref: RepoRef, path?: string): Asked {
  return { ref, path, endpoint, withToken: token !== undefined };
}
