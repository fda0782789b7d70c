/**
 * An endpoint of chat completions and embeddings on 127.0.0.1, over real HTTP: it records what it is
 * asked, answers as it is told, and misbehaves on demand. A relay stands before it, since only the
 * one who holds a connection can drop it without a word.
 */

/** What happens instead of the proper answer. */
export type ChatFault =
  /** This answer. */
  | {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    /** An error in OpenAI's form if not given. */
    readonly body?: string;
  }
  /** The proper answer, so many milliseconds late. */
  | { readonly late: number }
  /** Nothing at all, until the server stops. */
  | { readonly silence: true }
  /** The connection breaks before an answer. */
  | { readonly drop: true }
  /** The connection breaks after so many bytes of the proper answer. */
  | { readonly cutAfter: number }
  /** Only so many bytes of the proper answer, as if that were all. */
  | { readonly truncate: number }
  /** A proper answer of this text. */
  | { readonly text: string; readonly finish?: string };

/** A fault of some requests. */
export interface ScriptedFault {
  /** Matched against the path and the body, `POST /v1/chat/completions {"model":…`; any, if not given. */
  readonly at?: RegExp;
  /** How often it happens, from the first match on; always, if not given. */
  readonly times?: number;
  readonly fault: ChatFault;
}

/** The body of a request for chat completions, as far as answers look at it. */
export interface ChatQuestion {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly response_format?: { readonly json_schema: { readonly schema: unknown } };
}

/** A request that arrived. */
export interface ChatServerRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  /** As text; empty for GET. */
  readonly body: string;
  /** What became of it: `answered`, or the kind of fault. */
  readonly outcome: string;
}

/** What the server does. */
export interface ChatServerOptions {
  /** The text of an answer; `answer` if not given. */
  readonly answer?: (question: ChatQuestion) => string;
  /** The vector of a text; three numbers if not given. */
  readonly embed?: (text: string) => readonly number[];
  readonly faults?: readonly ScriptedFault[];
  /** The only valid key; if not given, none is looked at. */
  readonly key?: string;
  /** Parts of bodies that it does not take, each with what it says then (status 400). */
  readonly refusedParts?: Readonly<Record<string, string>>;
  /** Tokens of question and answer; 10 and 5 if not given, undefined for an endpoint that does not say. */
  readonly usage?:
    | ((question: ChatQuestion) => { prompt: number; completion: number; cost?: number })
    | "untold";
  /** Models of `GET models`, with prices in dollars per token. */
  readonly models?: readonly {
    readonly id: string;
    readonly pricing?: { readonly prompt: string; readonly completion: string };
  }[];
  /** 0, a free one, if not given. */
  readonly port?: number;
}

/** A running server. */
export interface ChatServer extends AsyncDisposable {
  /** For `--base-url`. */
  readonly url: string;
  /** All requests so far, in order. */
  readonly requests: readonly ChatServerRequest[];
  /** Most requests under way at any time. */
  readonly mostAtOnce: number;
}

/** Starts a server; dispose (or `await using`) stops it. */
export function startChatServer(options: ChatServerOptions = {}): ChatServer {
  const requests: ChatServerRequest[] = [];
  const strike = faultsInTurn(options.faults ?? []);
  const stopped = new AbortController();
  let atOnce = 0;
  let mostAtOnce = 0;

  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    signal: stopped.signal,
    onListen: () => {},
    onError: () => new Response("the test server failed", { status: 500 }),
  }, async (request, { remoteAddr }) => {
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    try {
      const { pathname, search } = new URL(request.url);
      const body = await request.text();
      const fault = strike(`${request.method} ${pathname}${search} ${body}`);
      requests.push({
        method: request.method,
        path: pathname + search,
        authorization: request.headers.get("authorization") ?? undefined,
        body,
        outcome: fault === undefined ? "answered" : Object.keys(fault)[0],
      });
      const proper = () => answer(request, pathname, body, options);
      if (fault === undefined) return proper();
      if ("drop" in fault) relay.drop((remoteAddr as Deno.NetAddr).port);
      return await faulty(fault, proper, stopped.signal);
    } finally {
      atOnce--;
    }
  });
  const relay = startRelay(server.addr.port, options.port ?? 0);

  return {
    url: `http://127.0.0.1:${relay.port}/v1`,
    requests,
    get mostAtOnce() {
      return mostAtOnce;
    },
    async [Symbol.asyncDispose]() {
      await relay.stop();
      stopped.abort();
      await server.finished;
    },
  };
}

function answer(
  request: Request,
  path: string,
  body: string,
  options: ChatServerOptions,
): Response {
  if (options.key && request.headers.get("authorization") !== `Bearer ${options.key}`) {
    const given = request.headers.get("authorization");
    return error(401, `Incorrect API key provided: ${given}`, "invalid_api_key");
  }
  if (path.endsWith("/models")) return Response.json({ data: options.models ?? [] });
  const question = JSON.parse(body);
  for (const [part, said] of Object.entries(options.refusedParts ?? {})) {
    if (part in question) return error(400, said, "unsupported_parameter");
  }
  if (path.endsWith("/embeddings")) return Response.json(embeddings(question, options));
  if (path.endsWith("/chat/completions")) {
    return Response.json(completion(options.answer?.(question) ?? "answer", question, options));
  }
  return error(404, `no such path: ${path}`, "not_found");
}

function completion(
  text: string,
  question: ChatQuestion,
  { usage }: ChatServerOptions,
  finish = "stop",
): unknown {
  const told = typeof usage === "function" ? usage(question) : { prompt: 10, completion: 5 };
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    model: question.model,
    choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: finish }],
    ...(usage === "untold" ? {} : {
      usage: {
        prompt_tokens: told.prompt,
        completion_tokens: told.completion,
        total_tokens: told.prompt + told.completion,
        ...("cost" in told ? { cost: told.cost } : {}),
      },
    }),
  };
}

function embeddings(
  { input }: { input: readonly string[] },
  { embed = (text: string) => [text.length, 1, 2] }: ChatServerOptions,
): unknown {
  const data = input.map((text, index) => ({ object: "embedding", index, embedding: embed(text) }));
  // the order is told by the indices, not by the list
  return { object: "list", data: data.reverse(), usage: { prompt_tokens: 3 * input.length } };
}

function error(status: number, message: string, code: string): Response {
  return Response.json({ error: { message, type: "invalid_request_error", code } }, { status });
}

/** The next fault for a request, if there is one. */
function faultsInTurn(faults: readonly ScriptedFault[]): (said: string) => ChatFault | undefined {
  const left = faults.map(({ times }) => times ?? Infinity);
  return (said) => {
    const index = faults.findIndex(({ at }, i) => left[i] > 0 && (at?.test(said) ?? true));
    if (index < 0) return undefined;
    left[index]--;
    return faults[index].fault;
  };
}

async function faulty(
  fault: ChatFault,
  proper: () => Response,
  stopped: AbortSignal,
): Promise<Response> {
  if ("status" in fault) {
    const { status, headers, body } = fault;
    return body === undefined
      ? new Response(JSON.stringify({ error: { message: "a fault", code: status } }), {
        status,
        headers,
      })
      : new Response(body, { status, headers });
  }
  if ("silence" in fault || "drop" in fault) return await untilStopped(stopped);
  if ("text" in fault) {
    const question = { model: "", messages: [] };
    return Response.json(completion(fault.text, question, {}, fault.finish));
  }
  if ("late" in fault) {
    await new Promise((resolve) => setTimeout(resolve, fault.late));
    return proper();
  }
  const bytes = new Uint8Array(await proper().arrayBuffer());
  if ("truncate" in fault) return new Response(bytes.subarray(0, fault.truncate));
  return new Response(ReadableStream.from(cut(bytes, fault.cutAfter)), {
    headers: { "content-length": `${bytes.length}` },
  });
}

function untilStopped(stopped: AbortSignal): Promise<Response> {
  return new Promise((resolve) => {
    const stop = () => resolve(new Response());
    if (stopped.aborted) stop();
    stopped.addEventListener("abort", stop);
  });
}

async function* cut(bytes: Uint8Array, after: number): AsyncGenerator<Uint8Array> {
  yield bytes.subarray(0, after);
  // lets the bytes leave before the connection breaks
  await new Promise((resolve) => setTimeout(resolve, 20));
  throw new Error("the test server cuts the connection");
}

/** Passes connections on to a port of this machine, until told to drop them. */
interface Relay {
  readonly port: number;
  /** Drops the connection that arrives at the other side from this port. */
  drop(port: number): void;
  stop(): Promise<void>;
}

function startRelay(to: number, port: number): Relay {
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  const connections = new Map<number, Disposable>();
  const passing = new Set<Promise<void>>();
  const accepting = (async () => {
    for await (const outside of listener) {
      const passed = pass(outside).finally(() => passing.delete(passed));
      passing.add(passed);
    }
  })();

  async function pass(outside: Deno.TcpConn): Promise<void> {
    const inside = await Deno.connect({ hostname: "127.0.0.1", port: to });
    const from = (inside.localAddr as Deno.NetAddr).port;
    const close = () => [outside, inside].forEach(closeOnce);
    connections.set(from, { [Symbol.dispose]: close });
    const ways = [
      outside.readable.pipeTo(inside.writable),
      inside.readable.pipeTo(outside.writable),
    ];
    await Promise.allSettled(ways.map((way) => way.finally(close).catch(() => {})));
    connections.delete(from);
  }

  return {
    port: (listener.addr as Deno.NetAddr).port,
    drop: (port) => connections.get(port)?.[Symbol.dispose](),
    async stop() {
      listener.close();
      for (const connection of connections.values()) connection[Symbol.dispose]();
      await accepting;
      await Promise.all(passing);
    },
  };
}

function closeOnce(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // its streams have closed it
  }
}
