/** The explorer's server: pages, answers, runs of the model. */
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Backend } from "../backend.ts";
import { isOwnOrigin } from "./access.ts";
import type { Assets } from "./assets.ts";
import { renderPage } from "./document.ts";
import {
  MOST_BYTES,
  readArticleQuery,
  readContextsQuery,
  readFeatureQuery,
  readLatent,
  readSteer,
  readTry,
} from "./requests.ts";
import { runStream, type RunTelling } from "./run_stream.ts";
import { ServerProblem, visitorBackend } from "./visitor_backend.ts";

/** Nothing but the explorer's own files is loaded or asked, and no other page holds it. */
function policy({ style }: Assets): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src ${style.source}`,
    "img-src data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

const HEADERS = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
} as const;

/** What the server answers with. */
export interface ServerParts {
  readonly backend: Backend;
  readonly assets: Assets;
  /** Values of the Host header that are answered. */
  readonly hosts: ReadonlySet<string>;
  /** Aborted when the server ends. */
  readonly ending: AbortSignal;
}

/** The application; it answers requests. */
export function explorerApp({ backend: inner, assets, hosts, ending }: ServerParts): Hono {
  const backend = visitorBackend(inner);
  const headers = { ...HEADERS, "content-security-policy": policy(assets) };
  const app = new Hono();
  app.use(async (c, next) => {
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    const host = c.req.header("host")?.toLowerCase() ?? "";
    if (!hosts.has(host)) return c.text("This is not the name of the explorer.", 403);
    await next();
  });
  app.get(assets.script.path, (c) =>
    c.body(assets.script.content, 200, {
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "private, max-age=31536000, immutable",
    }));

  app.get("/api/overview", async (c) => c.json(await backend.overview()));
  app.get(
    "/api/features",
    async (c) => c.json(await backend.features(readFeatureQuery(c.req.query()))),
  );
  app.get("/api/feature/:layer/:index", async (c) => {
    const { layer, index } = readLatent(c.req.param());
    return c.json(await backend.feature(layer, index));
  });
  app.get("/api/contexts/:layer/:index", async (c) => {
    const { layer, index } = readLatent(c.req.param());
    const { language, ...part } = readContextsQuery(c.req.query());
    return c.json(await backend.contexts(layer, index, language, part));
  });
  app.get("/api/article/:layer/:index", async (c) => {
    const { layer, index } = readLatent(c.req.param());
    return c.json(await backend.article(layer, index, readArticleQuery(c.req.query()).article));
  });

  app.use("/api/*", async (c, next) => {
    if (c.req.method !== "POST") return await next();
    if (!isOwnOrigin(c.req.header("origin"), c.req.header("host") ?? "")) {
      return c.text("Only the explorer's own pages may run the model.", 403);
    }
    if (!/^application\/json\b/.test(c.req.header("content-type") ?? "")) {
      return c.text("Expected JSON.", 415);
    }
    await next();
  });
  app.use(
    "/api/*",
    bodyLimit({
      maxSize: MOST_BYTES,
      onError: (c) => c.text(`The request is longer than ${MOST_BYTES} bytes.`, 413),
    }),
  );
  const streamed = (run: (telling: RunTelling) => Promise<unknown>) =>
    new Response(runStream(ending, run), {
      headers: { ...headers, "content-type": "application/x-ndjson; charset=utf-8" },
    });
  app.post("/api/try", async (c) => {
    const { text } = readTry(await bodyOf(c.req.raw));
    return streamed(({ signal, ahead }) => backend.tryText(text, signal, ahead));
  });
  app.post("/api/steer", async (c) => {
    const request = readSteer(await bodyOf(c.req.raw));
    return streamed(
      ({ signal, ahead, tokens }) => backend.steer(request, tokens, signal, ahead),
    );
  });
  app.all("/api/*", (c) => c.text("There is no such question.", 404));
  app.get("/assets/*", (c) => c.text("There is no such file.", 404));

  app.get("*", async (c) => {
    const { pathname, search } = new URL(c.req.url);
    const { html, found } = await renderPage(backend, pathname + search, assets);
    return c.html(html, found ? 200 : 404);
  });
  app.notFound((c) => c.text("There is nothing here.", 404));
  app.onError((error, c) => {
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    if (error instanceof ServerProblem) return c.text(error.message, 500);
    if (error.name !== "InputError") throw error;
    return c.text(error.message, c.req.method === "POST" || isRequestProblem(error) ? 400 : 404);
  });
  return app;
}

function isRequestProblem({ message }: Error): boolean {
  return message.startsWith("The request ");
}

/** The JSON of a request; something that is no request where it is none. */
async function bodyOf(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch {
    return undefined;
  }
}
