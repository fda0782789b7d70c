/// <reference lib="dom" />
/** The backend of a server, asked over HTTP (lib/explore/server). */
import type { Backend, FeatureQuery, Steered, Tried } from "../backend.ts";

/** A line of a run that is told as it goes (NDJSON). */
export type RunLine =
  | { readonly ahead: number }
  | { readonly tokens: number }
  | { readonly result: unknown }
  | { readonly problem: string };

/** Asks the server that the page came from. */
export class HttpBackend implements Backend {
  overview() {
    return get<Awaited<ReturnType<Backend["overview"]>>>("overview");
  }

  features(query: FeatureQuery) {
    return get<Awaited<ReturnType<Backend["features"]>>>("features", { ...query });
  }

  feature(layer: number, index: number) {
    return get<Awaited<ReturnType<Backend["feature"]>>>(`feature/${layer}/${index}`);
  }

  contexts(
    layer: number,
    index: number,
    language: string,
    part: { readonly offset: number; readonly limit: number },
  ) {
    return get<Awaited<ReturnType<Backend["contexts"]>>>(
      `contexts/${layer}/${index}`,
      { language, ...part },
    );
  }

  article(layer: number, index: number, article: string) {
    return get<Awaited<ReturnType<Backend["article"]>>>(`article/${layer}/${index}`, { article });
  }

  async tryText(text: string, signal?: AbortSignal, waiting?: (ahead: number) => void) {
    return await runOn<Tried>("try", { text }, { signal, waiting });
  }

  async steer(
    request: Parameters<Backend["steer"]>[0],
    progress: (tokens: number) => void,
    signal?: AbortSignal,
    waiting?: (ahead: number) => void,
  ) {
    return await runOn<Steered>("steer", request, { signal, waiting, progress });
  }
}

async function get<T>(
  path: string,
  query: Readonly<Record<string, string | number | boolean | undefined>> = {},
): Promise<T> {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]]
  );
  const search = given.length > 0 ? `?${new URLSearchParams(given)}` : "";
  const response = await reached(fetch(`/api/${path}${search}`));
  if (!response.ok) throw new Error(await problemOf(response));
  return await response.json();
}

/** Follows a run to its end. */
async function runOn<T>(
  path: string,
  body: unknown,
  { signal, waiting, progress }: {
    readonly signal?: AbortSignal;
    readonly waiting?: (ahead: number) => void;
    readonly progress?: (tokens: number) => void;
  },
): Promise<T> {
  const response = await reached(fetch(`/api/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  }));
  if (!response.ok || !response.body) throw new Error(await problemOf(response));
  for await (const line of linesOf(response.body)) {
    const told: RunLine = JSON.parse(line);
    if ("ahead" in told) waiting?.(told.ahead);
    else if ("tokens" in told) progress?.(told.tokens);
    else if ("result" in told) return told.result as T;
    else throw new Error(told.problem);
  }
  throw new Error("The server ended in the middle of the run; start it again and repeat.");
}

/** Whole lines of a stream. By its reader: not every browser iterates over streams. */
async function* linesOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

async function reached(response: Promise<Response>): Promise<Response> {
  try {
    return await response;
  } catch {
    throw new Error("The server cannot be reached; start it again with babelscope explore.");
  }
}

async function problemOf(response: Response): Promise<string> {
  const text = await response.text();
  return text.length > 0 && text.length < 1000 ? text : `The server answers ${response.status}.`;
}
