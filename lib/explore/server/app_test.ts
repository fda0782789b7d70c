import assert from "node:assert/strict";
import { InputError } from "../../formats/input_error.ts";
import type { Backend, FeatureDetail, Overview } from "../backend.ts";
import { styleSource } from "./assets.ts";
import { explorerApp } from "./app.ts";

const HOSTILE = `</script><script>alert(1)</script><img src=x onerror=alert(2)>\u202e`;

const OVERVIEW: Overview = {
  model: HOSTILE,
  sae: "s",
  corpus: HOSTILE,
  languages: [{
    name: HOSTILE,
    code: `"><b>`,
    direction: "rtl",
    tokens: 10,
    texts: 2,
    features: 1,
    featuresPerLayer: [1],
  }],
  layers: [{ layer: 0, hookpoint: HOSTILE, latents: 5 }],
  articles: [{ id: HOSTILE, title: HOSTILE }],
  live: true,
  provenance: [[HOSTILE, HOSTILE]],
};

const DETAIL: FeatureDetail = {
  layer: 0,
  index: 1,
  languages: [HOSTILE],
  entropy: 0.5,
  probability: 0.25,
  explanation: HOSTILE,
  topTokens: [HOSTILE],
  entropyInterval: [0.1, 0.9],
  qValue: 0.01,
  max: 3,
  perLanguage: [{ language: HOSTILE, probability: 0.25, interval: null, mean: 1, max: 3 }],
  histogram: { edges: [0, 1.5, 3], counts: [{ language: HOSTILE, tokens: [1, 2] }] },
  outputTokens: [{ text: HOSTILE, logit: 1 }],
  nearest: [{ layer: 0, index: 2, cosine: 0.5, languages: [HOSTILE] }],
  opposing: [],
  scores: [{
    scorer: HOSTILE,
    accuracy: 0.5,
    interval: [0.4, 0.6],
    f1: 1,
    precision: 1,
    recall: 1,
  }],
};

const CONTEXT = {
  language: HOSTILE,
  label: HOSTILE,
  pieces: [{ text: HOSTILE, activation: 3 }, { text: "\ud800x".repeat(100_000), activation: 1 }],
  max: 3,
};

function backend(changed: Partial<Backend> = {}): Backend {
  return {
    overview: () => Promise.resolve(OVERVIEW),
    features: () => Promise.resolve({ total: 1, features: [DETAIL] }),
    feature: (_, index) =>
      index === 1
        ? Promise.resolve(DETAIL)
        : Promise.reject(new InputError(`There is no latent ${index}.`)),
    contexts: () => Promise.resolve({ total: 1, contexts: [CONTEXT] }),
    article: () => Promise.resolve([CONTEXT]),
    tryText: (text) => Promise.resolve({ tokens: [text], fired: [], languages: [] }),
    steer: (_request, progress) => {
      progress(16);
      return Promise.resolve({ plain: "a", steered: "b" });
    },
    ...changed,
  };
}

const STYLE = "h1 { color: red }";
const HOST = "127.0.0.1:8765";

function app(changed: Partial<Backend> = {}, ending = new AbortController().signal) {
  const parts = explorerApp({
    backend: backend(changed),
    assets: {
      script: { path: "/assets/explorer-1.js", content: "/* */" },
      style: { content: STYLE, source: styleSource(STYLE) },
    },
    hosts: new Set([HOST]),
    ending,
  });
  return async (path: string, init: RequestInit = {}, host = HOST) =>
    await parts.fetch(
      new Request(`http://${HOST}${path}`, { ...init, headers: { host, ...init.headers } }),
    );
}

function posted(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { origin: `http://${HOST}`, "content-type": "application/json", ...headers },
  };
}

const STEER = { prompt: "a", features: [], maxNewTokens: 3, temperature: 0, seed: 0 };

Deno.test("every answer has the policy and is not kept", async () => {
  const ask = app();
  for (const path of ["/", "/feature/0/1", "/api/overview", "/nothing", "/api/nothing"]) {
    const { headers } = await ask(path);
    assert.match(headers.get("content-security-policy") ?? "", /^default-src 'none';/);
    assert.doesNotMatch(headers.get("content-security-policy") ?? "", /unsafe/);
    assert.equal(headers.get("cache-control"), "no-store", path);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
  }
});

Deno.test("another name than the explorer's is not answered", async () => {
  for (const host of ["evil.example:8765", "127.0.0.1", ""]) {
    for (const path of ["/", "/api/overview", "/assets/explorer-1.js"]) {
      const response = await app()(path, {}, host);
      assert.equal(response.status, 403);
      assert.doesNotMatch(await response.text(), /script/);
    }
  }
});

Deno.test("the model runs for the explorer's own pages only", async () => {
  const ask = app();
  for (const origin of ["http://evil.example", "null", ""]) {
    assert.equal((await ask("/api/try", posted({ text: "a" }, { origin }))).status, 403);
  }
  const form = { "content-type": "text/plain" };
  assert.equal((await ask("/api/try", posted({ text: "a" }, form))).status, 415);
  assert.equal((await ask("/api/try")).status, 404);
});

Deno.test("requests that are too large or of another form are refused in a sentence", async () => {
  const ask = app();
  assert.equal((await ask("/api/try", posted({ text: "a".repeat(70_000) }))).status, 413);
  const refused: readonly (readonly [string, unknown])[] = [
    ["/api/try", { text: "a".repeat(4001) }],
    ["/api/try", { text: "" }],
    ["/api/try", { text: "a", more: 1 }],
    ["/api/try", "{"],
    ["/api/steer", { ...STEER, maxNewTokens: 201 }],
    ["/api/steer", { ...STEER, maxNewTokens: 1.5 }],
    ["/api/steer", { ...STEER, seed: -1 }],
    ["/api/steer", { ...STEER, temperature: null }],
    ["/api/steer", { ...STEER, features: Array(201).fill({ layer: 0, index: 0, strength: 1 }) }],
    ["/api/steer", { ...STEER, features: [{ layer: 0, index: 0, strength: 1e9 }] }],
  ];
  for (const [path, body] of refused) {
    const response = await ask(path, posted(body));
    assert.equal(response.status, 400, JSON.stringify(body).slice(0, 80));
    assert.match(await response.text(), /^The request is not understood/);
  }
  for (
    const path of [
      "/api/features?offset=0&limit=201",
      "/api/features?offset=-1&limit=1",
      "/api/features?limit=1",
      `/api/features?offset=0&limit=1&text=${"x".repeat(201)}`,
      "/api/features?offset=0&limit=1&order=worst",
      "/api/feature/a/b",
      "/api/contexts/0/1?offset=0&limit=1",
    ]
  ) assert.equal((await ask(path)).status, 400, path);
});

Deno.test("what is not there is not found, for people and programs", async () => {
  const ask = app();
  for (const path of ["/feature/0/9", "/nothing", "/api/feature/0/9", "/assets/x.js", "/api/x"]) {
    assert.equal((await ask(path)).status, 404, path);
  }
  assert.match(await (await ask("/feature/0/9")).text(), /There is no latent 9\./);
  assert.equal(await (await ask("/api/feature/0/9")).text(), "There is no latent 9.");
});

Deno.test("defects are told in the terminal, not to visitors", async () => {
  const said: string[] = [];
  const { writeSync } = Deno.stderr;
  Deno.stderr.writeSync = (bytes) => {
    said.push(new TextDecoder().decode(bytes));
    return bytes.length;
  };
  try {
    const ask = app({ overview: () => Promise.reject(new TypeError("/secret/path")) });
    const response = await ask("/api/overview");
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /secret/);
    assert.doesNotMatch(await (await ask("/")).text(), /secret/);
  } finally {
    Deno.stderr.writeSync = writeSync;
  }
  assert.match(said.join(""), /TypeError: \/secret\/path/);
});

Deno.test("hostile text stays text in every page", async () => {
  const ask = app();
  for (
    const path of ["/", "/features", "/feature/0/1", `/try?text=${encodeURIComponent(HOSTILE)}`]
  ) {
    const html = await (await ask(path)).text();
    assert.equal(html.match(/<script/g)?.length, 2, path);
    assert.equal(html.match(/<img/g), null);
    assert.equal(html.match(/<b>/g), null);
    assert.equal(html.match(/style="/g), null, "the policy forbids styles in the page");
    const shown = html.slice(0, html.indexOf('<script type="application/json"'))
      .replace(/value="[^"]*"|<textarea[^]*?<\/textarea>/g, "");
    assert.doesNotMatch(shown, /\u202e/, path);
    assert.ok(html.length < 2_000_000, `${html.length}`);
  }
});

Deno.test("a page holds its answers, for the script and without it", async () => {
  const html = await (await app()("/feature/0/1")).text();
  assert.match(html, /Layer 0/);
  const told = JSON.parse(html.match(/id="told">([^]*?)<\/script>/)?.[1] ?? "");
  const keys = Object.keys(told);
  assert.deepEqual(keys.slice(0, 2), [`["overview"]`, `["feature",0,1]`]);
  assert.ok(keys.some((key) => key.startsWith(`["contexts",0,1`)));
  assert.deepEqual(told[`["feature",0,1]`].answer, DETAIL);
});

Deno.test("a run is told line by line", async () => {
  const lines = (await (await app()("/api/steer", posted(STEER))).text()).trim().split("\n");
  assert.deepEqual(lines.map((line) => JSON.parse(line)), [
    { tokens: 16 },
    { result: { plain: "a", steered: "b" } },
  ]);
  const failing = app({ tryText: () => Promise.reject(new InputError("No.")) });
  const problem = await (await failing("/api/try", posted({ text: "a" }))).text();
  assert.deepEqual(JSON.parse(problem), { problem: "No." });
});

Deno.test("a run ends when its visitor leaves, and when the server does", async () => {
  for (const how of ["visitor", "server"]) {
    const ending = new AbortController();
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    const ask = app({
      tryText: (_text, signal, waiting) =>
        new Promise((_, reject) => {
          waiting?.(2);
          signal?.addEventListener("abort", () => {
            resolve();
            reject(signal.reason);
          });
        }),
    }, ending.signal);
    const { body } = await ask("/api/try", posted({ text: "a" }));
    const reader = body!.getReader();
    const { value } = await reader.read();
    assert.deepEqual(JSON.parse(new TextDecoder().decode(value)), { ahead: 2 });
    if (how === "visitor") await reader.cancel();
    else ending.abort(new DOMException("The explorer ends.", "AbortError"));
    await aborted;
    if (how === "server") assert.equal((await reader.read()).done, true);
  }
});
