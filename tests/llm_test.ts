/** Asking chat endpoints over real HTTP, well-behaved ones and others. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../lib/formats/input_error.ts";
import {
  BudgetSpent,
  ChatFailure,
  type ChatModel,
  type ChatReply,
  type ChatRequest,
} from "../lib/llm/chat.ts";
import { openChatModel } from "../lib/llm/chat_model.ts";
import { openEmbedder } from "../lib/llm/embedder.ts";
import { Endpoint, type Surroundings } from "../lib/llm/endpoint.ts";
import { chatPrices, type EndpointOptions } from "../lib/llm/options.ts";
import {
  type ChatFault,
  type ChatServer,
  type ChatServerOptions,
  startChatServer,
} from "./support/chat_server.ts";
import { filesUnder } from "./support/folders.ts";
import { JumpingClock } from "./support/jumping_clock.ts";
import { ROOT, withFolder } from "./support/run.ts";

const KEY = 'sk-"secret"/\\+0123456789';

function question(content: string, more: Partial<ChatRequest> = {}): ChatRequest {
  return { messages: [{ role: "user", content }], maxTokens: 50, temperature: 0, ...more };
}

interface Place {
  readonly server: ChatServer;
  readonly endpoint: Endpoint;
  readonly model: ChatModel;
  readonly clock: JumpingClock;
  readonly answers: string;
  /** Another run on the same answers. */
  again(more?: Partial<EndpointOptions>, around?: Surroundings): Promise<Endpoint>;
}

interface Setting {
  readonly server?: ChatServerOptions;
  readonly options?: Partial<EndpointOptions>;
  readonly surroundings?: Surroundings;
}

/** A server, a folder for answers, and a model that waits on a clock that jumps. */
async function withModel(setting: Setting, body: (place: Place) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    await using server = startChatServer(setting.server);
    const answers = join(folder, "answers");
    const clock = new JumpingClock(Date.parse("Wed, 21 Oct 2015 07:28:00 GMT"));
    const around = { environment: () => undefined, clock, random: () => 1 };
    const again = (more: Partial<EndpointOptions> = {}, surroundings: Surroundings = {}) =>
      Endpoint.open({
        baseUrl: server.url,
        explainerModel: "m",
        requestTimeout: 20,
        maxAttempts: 3,
        concurrency: 4,
        requestCache: answers,
        ...setting.options,
        ...more,
      }, { ...around, ...setting.surroundings, ...surroundings });
    using endpoint = await again();
    const prices = chatPrices(setting.options as EndpointOptions ?? {});
    const model = await openChatModel(endpoint, "m", prices);
    await body({ server, endpoint, model, clock, answers, again });
  });
}

/** Asks and gives what is thrown. */
async function failure(asked: Promise<unknown>): Promise<Error> {
  try {
    await asked;
  } catch (error) {
    assert.match((error as Error).message, /^[^\n]+\.$/);
    return error as Error;
  }
  throw new assert.AssertionError({ message: "there is an answer" });
}

/** An answer, once that many misfortunes are over. */
function recovers(name: string, fault: ChatFault, times: number, waits: number[], more = {}): void {
  Deno.test(`${name}: asked again`, () =>
    withModel({ server: { faults: [{ times, fault }] }, options: more }, async (place) => {
      const { text } = await place.model.complete(question("q"));
      assert.equal(text, "answer");
      assert.deepEqual(place.clock.sleeps, waits);
      assert.equal(place.server.requests.length, times + 1);
      const { asked, sent, retried, failed } = place.endpoint.use();
      assert.deepEqual([asked, sent, retried, failed], [1, times + 1, times, 0]);
    }));
}

recovers("429", { status: 429 }, 2, [1000, 2000]);
recovers("429 with seconds to wait", { status: 429, headers: { "retry-after": "7" } }, 1, [7000]);
recovers(
  "503 with a date to wait for",
  { status: 503, headers: { "retry-after": "Wed, 21 Oct 2015 07:28:30 GMT" } },
  1,
  [30_000],
);
for (const status of [408, 409, 425, 500, 502, 529]) {
  recovers(`${status}`, { status }, 1, [1000]);
}
recovers("dropped connection", { drop: true }, 2, [1000, 2000]);
recovers("connection that breaks in the middle", { cutAfter: 30 }, 1, [1000]);
recovers("no answer in time", { silence: true }, 1, [1000], { requestTimeout: 0.2 });
recovers("truncated JSON", { truncate: 50 }, 1, [1000]);
const html = { "content-type": "text/html" };
recovers("a page instead of JSON", { status: 200, headers: html, body: "<html>" }, 1, [1000]);
recovers("JSON of another kind", { status: 200, body: "[1, null]" }, 1, [1000]);
recovers("no choices", { status: 200, body: '{"choices": []}' }, 1, [1000]);
recovers(
  "an error with status 200",
  { status: 200, body: '{"error": {"code": 429, "message": "slow down"}}' },
  1,
  [1000],
);
recovers(
  "a choice that broke off at the provider",
  {
    status: 200,
    body: '{"choices": [{"message": {"content": "half"}, "finish_reason": "error"}]}',
  },
  1,
  [1000],
);

/** A question without an answer, and how it is told. */
function fails(
  name: string,
  fault: ChatFault,
  requests: number,
  kind: abstract new (...args: never[]) => Error,
  why: RegExp,
): void {
  Deno.test(`${name}: ${kind.name} after ${requests}`, () =>
    withModel({ server: { faults: [{ fault }] } }, async (place) => {
      const error = await failure(place.model.complete(question("q")));
      assert.ok(error instanceof kind, error.stack);
      assert.match(error.message, why);
      assert.equal(place.server.requests.length, requests);
      if (error instanceof ChatFailure) {
        assert.equal(error.attempts, requests);
        assert.equal(place.endpoint.use().failed, 1);
      }
      assert.deepEqual(await filesUnder(place.answers), []);
    }));
}

const said = (message: string, code?: string) => JSON.stringify({ error: { message, code } });

fails("500 for ever", { status: 500 }, 3, ChatFailure, /refuses with status 500 \(“a fault”\)/);
fails("drops for ever", { drop: true }, 3, ChatFailure, /broke the connection before its answer/);
fails("no JSON for ever", { status: 200, body: "?" }, 3, ChatFailure, /is not an answer/);
fails(
  "400",
  { status: 400, body: said("too\n\u001b[31mlong.") },
  1,
  ChatFailure,
  /status 400 \(“too \[31mlong”\); check that the model takes/,
);
fails("403", { status: 403 }, 1, ChatFailure, /is not allowed for this account/);
fails("401", { status: 401 }, 1, InputError, /set BABELSCOPE_API_KEY in the environment/);
fails("404", { status: 404 }, 1, InputError, /check --base-url and the name of the model/);
fails("402", { status: 402 }, 1, BudgetSpent, /out of credit/);
fails(
  "429 of an empty account",
  { status: 429, body: said("You exceeded your quota", "insufficient_quota") },
  1,
  BudgetSpent,
  /out of credit/,
);
fails(
  "a wait of hours",
  { status: 429, headers: { "retry-after": "7200" } },
  1,
  ChatFailure,
  /for 120 minutes; run again then/,
);
fails(
  "an error of 400 with status 200",
  { status: 200, body: '{"error": {"code": 400, "message": "no"}}' },
  1,
  ChatFailure,
  /status 400 \(“no”\)/,
);
fails(
  "a redirect",
  { status: 307, headers: { location: "https://elsewhere.example/v1?token=1" } },
  1,
  InputError,
  /elsewhere, at https:\/\/elsewhere\.example; a key is not sent after redirects/,
);

Deno.test("a body without end is left before it fills the memory", () =>
  withModel({ options: { maxAttempts: 1 } }, async ({ again }) => {
    let sent = 0;
    await using endless = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () =>
        new Response(ReadableStream.from((async function* () {
          for (const chunk = new Uint8Array(1 << 20).fill(0x20);; sent += chunk.length) yield chunk;
        })())),
    );
    using endpoint = await again({ baseUrl: `http://127.0.0.1:${endless.addr.port}` });
    const error = await failure((await openChatModel(endpoint, "m")).complete(question("q")));
    assert.match(error.message, /more than 67108864 bytes/);
    assert.ok(sent < 200 * 2 ** 20, `${sent} bytes were sent`);
  }));

Deno.test("an endpoint that is not there ends the run at its first question", () =>
  withModel({ options: { concurrency: 1 } }, async ({ again }) => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    listener.close();
    using endpoint = await again({ baseUrl: `http://127.0.0.1:${port}/v1` });
    const error = await failure((await openChatModel(endpoint, "m")).complete(question("q")));
    assert.ok(error instanceof InputError, error.stack);
    assert.match(error.message, /cannot be reached \(connection refused\); check that the server/);
    assert.equal(endpoint.use().sent, 2);
  }));

Deno.test("an endpoint that goes away fails questions, and in the end the run", () =>
  withModel({ options: { maxAttempts: 1, concurrency: 1 } }, async ({ again }) => {
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => Response.json({ choices: [{ message: { content: "a" }, finish_reason: "stop" }] }),
    );
    using endpoint = await again({ baseUrl: `http://127.0.0.1:${server.addr.port}/v1` });
    const model = await openChatModel(endpoint, "m");
    assert.equal((await model.complete(question("0"))).text, "a");
    await server.shutdown();
    for (let i = 1; i < 50; i++) {
      const error = await failure(model.complete(question(`${i}`)));
      assert.ok(error instanceof ChatFailure, error.stack);
      assert.match(
        error.message,
        /cannot be reached \(connection refused\); check that the server/,
      );
    }
    const last = await failure(model.complete(question("50")));
    assert.ok(last instanceof InputError, last.stack);
    assert.match(last.message, /50 questions in a row did not reach it/);
  }));

Deno.test("what is sent and what comes back", () =>
  withModel({
    server: {
      key: KEY,
      answer: ({ messages }) => `<<${messages.at(-1)!.content}>> \u202e </script>`,
      usage: () => ({ prompt: 12, completion: 3, cost: 0.25 }),
    },
    surroundings: { environment: (name) => name === "BABELSCOPE_API_KEY" ? KEY : undefined },
  }, async ({ model, server, endpoint }) => {
    const schema = { name: "labels", schema: { type: "object" } };
    const reply = await model.complete(question("ü", { schema }));
    assert.deepEqual(reply, {
      text: "<<ü>> \u202e </script>",
      finish: "stop",
      usage: { promptTokens: 12, completionTokens: 3 },
      cached: false,
    });
    const [{ method, path, authorization, body }] = server.requests;
    assert.deepEqual([method, path, authorization], [
      "POST",
      "/v1/chat/completions",
      `Bearer ${KEY}`,
    ]);
    assert.deepEqual(JSON.parse(body), {
      model: "m",
      messages: [{ role: "user", content: "ü" }],
      max_tokens: 50,
      temperature: 0,
      response_format: { type: "json_schema", json_schema: { ...schema, strict: true } },
    });
    assert.deepEqual(endpoint.use(), {
      asked: 1,
      cached: 0,
      sent: 1,
      retried: 0,
      failed: 0,
      promptTokens: 12,
      completionTokens: 3,
      dollars: 0.25,
      perhapsPaid: { requests: 0, tokens: 0, dollars: 0 },
    });
  }));

Deno.test("an answer that was cut off, is empty, in parts or a refusal is an answer", async () => {
  const choices = (message: unknown, finish_reason: string | null) => ({
    status: 200,
    body: JSON.stringify({ choices: [{ message, finish_reason }] }),
  });
  const faults: [ChatFault, string, string][] = [
    [{ text: "and so on and", finish: "length" }, "and so on and", "length"],
    [choices({ content: null }, "length"), "", "length"],
    [choices({ content: "" }, null), "", "stop"],
    [choices({ content: null, refusal: "I will not." }, "stop"), "I will not.", "stop"],
    [choices({ content: [{ type: "text", text: "a" }, { text: "b" }] }, "stop"), "ab", "stop"],
  ];
  for (const [fault, text, finish] of faults) {
    await withModel({ server: { faults: [{ fault }] } }, async ({ model }) => {
      const reply = await model.complete(question("q"));
      assert.deepEqual([reply.text, reply.finish], [text, finish]);
    });
  }
});

Deno.test("what the endpoint does not take is left out from then on", () =>
  withModel({
    server: {
      refusedParts: {
        response_format: "response_format is not supported",
        max_tokens: "Unsupported parameter: use 'max_completion_tokens' instead.",
        temperature: "'temperature' does not support 0 with this model.",
      },
    },
  }, async ({ model, server, clock }) => {
    const schema = { name: "labels", schema: { type: "object" } };
    await model.complete(question("1", { schema }));
    await model.complete(question("2", { schema }));
    assert.equal(server.requests.length, 5);
    assert.deepEqual(clock.sleeps, []);
    assert.deepEqual(JSON.parse(server.requests.at(-1)!.body), {
      model: "m",
      messages: [{ role: "user", content: "2" }],
      max_completion_tokens: 50,
    });
  }));

Deno.test("a rerun asks nothing again, another attempt, model or endpoint does", () =>
  withModel({}, async ({ model, server, again }) => {
    const asked = [question("1"), question("2"), question("1", { attempt: 1 })];
    const first = await Promise.all(asked.map((request) => model.complete(request)));
    assert.equal(server.requests.length, 3);
    assert.deepEqual(first.map(({ cached }) => cached), [false, false, false]);

    using later = await again();
    const laterModel = await openChatModel(later, "m");
    const second = await Promise.all(asked.map((request) => laterModel.complete(request)));
    assert.equal(server.requests.length, 3);
    assert.deepEqual(second, first.map((reply) => ({ ...reply, cached: true })));
    assert.deepEqual([later.use().asked, later.use().cached, later.use().promptTokens], [0, 3, 0]);

    await (await openChatModel(later, "other")).complete(asked[0]);
    assert.equal(server.requests.length, 4);
    using elsewhere = await again({ baseUrl: server.url.replace("127.0.0.1", "localhost") });
    await (await openChatModel(elsewhere, "m")).complete(asked[0]);
    assert.equal(server.requests.length, 5);
  }));

Deno.test("a damaged answer on disk is asked again", () =>
  withModel({}, async ({ model, server, answers }) => {
    await model.complete(question("1"));
    const [file] = await filesUnder(answers);
    await Deno.writeTextFile(join(answers, file), '{"key": "', { append: false });
    assert.equal((await model.complete(question("1"))).cached, false);
    assert.equal(server.requests.length, 2);
    assert.equal((await model.complete(question("1"))).cached, true);
  }));

Deno.test("equal questions at the same time are one", () =>
  withModel({ server: { faults: [{ fault: { late: 30 } }] } }, async (place) => {
    const { model, server, endpoint } = place;
    const replies = await Promise.all(
      Array.from({ length: 5 }, () => model.complete(question("1"))),
    );
    assert.equal(server.requests.length, 1);
    assert.deepEqual(new Set(replies.map(({ text }) => text)), new Set(["answer"]));
    assert.deepEqual([endpoint.use().asked, endpoint.use().cached], [1, 4]);
  }));

Deno.test("no more questions at once than allowed", () =>
  withModel(
    { server: { faults: [{ fault: { late: 20 } }] }, options: { concurrency: 3 } },
    async ({ model, server }) => {
      await Promise.all(Array.from({ length: 12 }, (_, i) => model.complete(question(`${i}`))));
      assert.equal(server.mostAtOnce, 3);
    },
  ));

Deno.test("one who is told to wait makes all wait", () => {
  const answered: number[] = [];
  let now = () => NaN;
  return withModel({
    server: {
      faults: [{ times: 1, fault: { status: 429, headers: { "retry-after": "50" } } }],
      answer: () => `${answered.push(now())}`,
    },
    options: { concurrency: 1 },
  }, async ({ model, server, clock }) => {
    now = () => clock.now();
    const before = now();
    await Promise.all([model.complete(question("1")), model.complete(question("2"))]);
    assert.deepEqual(answered, [before + 50_000, before + 50_000]);
    assert.equal(server.requests.length, 3);
  });
});

Deno.test("tokens never pass the budget, whatever runs at once", () =>
  withModel({
    server: { usage: () => ({ prompt: 70, completion: 30 }), faults: [{ fault: { late: 5 } }] },
    options: { maxTotalTokens: 1000, concurrency: 8 },
  }, async ({ model, server, endpoint }) => {
    // 1 byte and 96 around it and 50 of the answer: 147 at most, 100 in truth
    const asked = Array.from({ length: 40 }, (_, i) =>
      model.complete(question(`${i % 10}`, { attempt: i })));
    const ended = await Promise.allSettled(asked);
    const refused = ended.filter(({ status }) =>
      status === "rejected"
    ) as PromiseRejectedResult[];
    assert.ok(refused.every(({ reason }) => reason instanceof BudgetSpent));
    const { promptTokens, completionTokens } = endpoint.use();
    assert.equal(promptTokens + completionTokens, 900);
    assert.equal(server.requests.length, 9);
    assert.equal(refused.length, 31);
  }));

Deno.test("money never passes the budget; answers that may have been made count", () =>
  withModel({
    server: {
      usage: () => ({ prompt: 97, completion: 50 }),
      faults: [{ times: 2, fault: { cutAfter: 10 } }],
    },
    options: { maxCost: 0.001, promptPrice: 1, completionPrice: 2, concurrency: 3 },
  }, async ({ model, server, endpoint }) => {
    // 97 + 2 x 50 millionths of a dollar, at most and in truth: five of them are within 0.001
    const asked = Array.from({ length: 10 }, (_, i) => model.complete(question(`${i}`)));
    const ended = await Promise.allSettled(asked);
    assert.equal(ended.filter(({ status }) => status === "fulfilled").length, 3);
    assert.equal(server.requests.length, 5);
    const { dollars, perhapsPaid } = endpoint.use();
    assert.ok(Math.abs(dollars! - 3 * 197e-6) < 1e-12);
    assert.deepEqual([perhapsPaid.requests, perhapsPaid.tokens], [2, 2 * 147]);
    const error = await failure(model.complete(question("x")));
    assert.match(error.message, /raise --max-cost to go on/);
  }));

Deno.test("a kept answer costs nothing of the budget", () =>
  withModel({}, async ({ model, again }) => {
    await model.complete(question("1"));
    using poor = await again({ maxTotalTokens: 0 });
    const poorModel = await openChatModel(poor, "m");
    assert.equal((await poorModel.complete(question("1"))).text, "answer");
    await assert.rejects(poorModel.complete(question("2")), BudgetSpent);
  }));

Deno.test("where the endpoint does not say what it took, it took the most", () =>
  withModel(
    { server: { usage: "untold" }, options: { maxTotalTokens: 300 } },
    async ({ model, endpoint }) => {
      const { usage } = await model.complete(question("1"));
      assert.deepEqual(usage, { promptTokens: 5, completionTokens: 2 });
      await model.complete(question("2"));
      await assert.rejects(model.complete(question("3")), BudgetSpent);
      assert.deepEqual([endpoint.use().promptTokens, endpoint.use().dollars], [10, null]);
    },
  ));

Deno.test("prices come from the endpoint's list where the cost is bounded", () =>
  withModel({
    server: { models: [{ id: "b", pricing: { prompt: "0.000002", completion: "0.00001" } }] },
  }, async ({ again, server }) => {
    using endpoint = await again({ maxCost: 1 });
    const model = await openChatModel(endpoint, "b");
    await model.complete(question("q"));
    assert.deepEqual(server.requests.map(({ path }) => path), [
      "/v1/models",
      "/v1/chat/completions",
    ]);
    assert.ok(Math.abs(endpoint.use().dollars! - (10 * 2e-6 + 5 * 1e-5)) < 1e-12);
    const error = await failure(openChatModel(endpoint, "unlisted"));
    assert.ok(error instanceof InputError);
    assert.match(error.message, /does not tell what unlisted costs, which --max-cost needs/);
  }));

Deno.test("an aborted run asks no more, but keeps what is under way", () => {
  const stop = new AbortController();
  return withModel({
    server: {
      answer() {
        stop.abort(new Error("Ctrl-C"));
        return "paid for";
      },
    },
    options: { concurrency: 1 },
    surroundings: { signal: stop.signal },
  }, async ({ model, server, answers }) => {
    // Either may come first: both look for a kept answer before they wait for their turn.
    const ended = await Promise.allSettled([
      model.complete(question("1")),
      model.complete(question("2")),
    ]);
    const outcomes = ended.map((end) =>
      end.status === "fulfilled" ? end.value.text : end.reason.message
    );
    assert.deepEqual(outcomes.sort(), ["Ctrl-C", "paid for"]);
    assert.equal((await filesUnder(answers)).length, 1);
    assert.equal(server.requests.length, 1);
  });
});

Deno.test("the key is in no reply, message, file or count, even where the endpoint echoes it", () => {
  const escaped = [...KEY].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const content = `{"choices": [{"message": {"content": "${escaped.join("")}"}, "finish_reason": "${
    escaped.join("")
  }"}]}`;
  const faults: [string, ChatFault][] = [
    ["text", { text: `key ${KEY}`, finish: KEY }],
    ["escaped", { status: 200, body: content }],
    ["plain", { status: 400, body: `Bearer ${KEY}` }],
    ["json", { status: 400, body: said(`Bearer ${KEY}`, KEY) }],
    ["wrong", { status: 401, body: said(`Incorrect key ${KEY}`) }],
    ["trouble", { status: 500, body: said(KEY), headers: { "x-key": KEY } }],
    ["header", { status: 302, headers: { location: `https://x.example/${KEY}?k=${KEY}` } }],
  ];
  return withModel({
    server: { faults: faults.map(([name, fault]) => ({ at: new RegExp(`q ${name}`), fault })) },
    surroundings: { environment: (name) => name === "BABELSCOPE_API_KEY" ? KEY : undefined },
  }, async ({ model, endpoint, server, answers }) => {
    const seen = await Promise.all(faults.map(async ([name]) => {
      const reply: ChatReply | Error = await model.complete(question(`q ${name}`)).catch((e) => e);
      return reply instanceof Error
        ? `${reply.stack} ${reply.message}`
        : Object.values(reply).join();
    }));
    for (const file of await filesUnder(answers)) {
      seen.push(file, await Deno.readTextFile(join(answers, file)));
    }
    seen.push(JSON.stringify(endpoint), JSON.stringify(endpoint.use()), Deno.inspect(endpoint));
    assert.ok(seen.some((text) => text.includes("[BABELSCOPE_API_KEY]")));
    const escapes = JSON.stringify(KEY).slice(1, -1);
    for (const text of seen) {
      assert.ok(!text.includes(KEY) && !text.includes(escapes), text);
      assert.ok(!text.includes("0123456789"), text);
    }
    assert.ok(server.requests.every(({ authorization }) => authorization === `Bearer ${KEY}`));
  });
});

Deno.test("a redirect to another host takes neither key nor question there", () =>
  withModel({}, async ({ again }) => {
    await using other = startChatServer();
    await using server = startChatServer({
      faults: [{ fault: { status: 307, headers: { location: `${other.url}/chat/completions` } } }],
    });
    using endpoint = await again({ baseUrl: server.url }, { environment: () => KEY });
    const model = await openChatModel(endpoint, "m");
    assert.ok(await failure(model.complete(question("q"))) instanceof InputError);
    assert.equal(other.requests.length, 0);
  }));

Deno.test("questions to this machine pass by the proxy of the environment", () =>
  withModel({}, async ({ server, again }) => {
    await using proxy = startChatServer();
    const before = Deno.env.toObject();
    Deno.env.set("HTTP_PROXY", proxy.url);
    Deno.env.set("ALL_PROXY", proxy.url);
    try {
      for (const host of ["127.0.0.1", "localhost", "127.1"]) {
        using endpoint = await again({ baseUrl: server.url.replace("127.0.0.1", host) });
        await (await openChatModel(endpoint, host)).complete(question("q"));
      }
    } finally {
      for (const name of ["HTTP_PROXY", "ALL_PROXY"]) {
        if (before[name] === undefined) Deno.env.delete(name);
        else Deno.env.set(name, before[name]);
      }
    }
    assert.deepEqual([server.requests.length, proxy.requests.length], [3, 0]);
    assert.equal(Deno.env.get("NO_PROXY"), before.NO_PROXY);
  }));

Deno.test("without an endpoint, it is said how to name one", async () => {
  const options = { explainerModel: "m", requestTimeout: 1, maxAttempts: 1, concurrency: 1 };
  const error = await failure(Endpoint.open(options));
  assert.ok(error instanceof InputError);
  assert.match(error.message, /name an endpoint with --base-url, such as https:\/\/openrouter\.ai/);
});

Deno.test("texts become vectors of unit length, in their order, and each is paid once", () =>
  withModel({ server: { embed: (text) => [3 * text.length, 4 * text.length] } }, async (place) => {
    const { endpoint, server, again } = place;
    const embedder = await openEmbedder(endpoint, "e");
    const texts = Array.from({ length: 130 }, (_, i) => `text ${i}`);
    const vectors = await embedder.embed(texts);
    assert.equal(vectors.length, 130);
    for (const vector of vectors) assert.deepEqual(vector, Float32Array.of(0.6, 0.8));
    const sizes = () => server.requests.map(({ body }) => JSON.parse(body).input.length).sort();
    assert.deepEqual(sizes(), [2, 64, 64]);
    assert.ok(server.requests.every(({ path }) => path === "/v1/embeddings"));
    assert.equal(endpoint.use().promptTokens, 3 * 130);

    using later = await again();
    const laterEmbedder = await openEmbedder(later, "e");
    assert.deepEqual(await laterEmbedder.embed(texts), vectors);
    assert.deepEqual(sizes(), [2, 64, 64]);
    const mixed = await laterEmbedder.embed(["new", texts[7], "new", texts[100]]);
    assert.deepEqual(mixed.length, 4);
    assert.deepEqual(sizes(), [1, 2, 64, 64]);
    assert.deepEqual(await embedder.embed([]), []);
  }));

Deno.test("vectors belong to the text of their index, whatever the order of the list", () =>
  withModel(
    { server: { embed: (text) => text === "a" ? [1, 0] : [0, 2] } },
    async ({ endpoint }) => {
      const [a, b] = await (await openEmbedder(endpoint, "e")).embed(["a", "b"]);
      assert.deepEqual([[...a], [...b]], [[1, 0], [0, 1]]);
    },
  ));

for (
  const [name, embed] of Object.entries({
    "of different lengths": (text: string) => text === "a" ? [1, 2] : [1, 2, 3],
    "without a direction": () => [0, 0],
    "without numbers": () => [],
  })
) {
  Deno.test(`vectors ${name} are no answer`, () =>
    withModel({ server: { embed } }, async ({ endpoint }) => {
      const embedder = await openEmbedder(endpoint, "e");
      assert.ok(await failure(embedder.embed(["a", "b"])) instanceof ChatFailure);
    }));
}

Deno.test("killed in the middle and run again: nothing that was answered is paid twice", () =>
  withFolder(async (folder) => {
    await using server = startChatServer({
      answer: ({ messages }) => `to ${messages[0].content}`,
      faults: [{ at: /question 11\./, times: 1, fault: { silence: true } }],
    });
    const asker = () =>
      new Deno.Command("deno", {
        args: [
          "run",
          "--quiet",
          "--allow-all",
          `${ROOT}tests/support/chat_server_asker.ts`,
          server.url,
          folder,
          "20",
        ],
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
    const killed = asker();
    while (!server.requests.some(({ outcome }) => outcome === "silence")) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    killed.kill("SIGKILL");
    const before = new TextDecoder().decode((await killed.output()).stdout).trim().split("\n");
    assert.equal(before.length, 11);

    const { code, stdout } = await asker().output();
    assert.equal(code, 0);
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    assert.deepEqual(lines, Array.from({ length: 20 }, (_, i) => `to question ${i}.`));
    assert.deepEqual(lines.slice(0, 11), before);

    const asked = server.requests.map(({ body }) => JSON.parse(body).messages[0].content);
    const times = (i: number) => asked.filter((content) => content === `question ${i}.`).length;
    for (let i = 0; i < 20; i++) assert.equal(times(i), i === 11 ? 2 : 1, `question ${i}`);
  }));
