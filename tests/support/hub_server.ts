/**
 * A Hugging Face hub on 127.0.0.1: repositories from memory, over real HTTP, with the paths, headers,
 * redirects and errors of the real one, and with faults on demand. Large (LFS) files come from a
 * second port, as they come from another host in the real one.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

/** A repository: what one commit holds. Several of one name are commits of one repository. */
export interface HubRepo {
  readonly kind: "model" | "dataset";
  /** `owner/name`. */
  readonly id: string;
  /** Contents by path. */
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  /** Paths that lie in LFS storage; if not given, those of 100 kB and more. */
  readonly lfs?: readonly string[];
  /** 40 hexadecimal digits; if not given, made from the contents. */
  readonly commit?: string;
  /** Branches and tags that name the commit; `main` if not given. */
  readonly revisions?: readonly string[];
  /** Files only for those who have a token, or for nobody; the listing is for everybody. */
  readonly gated?: "needs-token" | "refuses-everyone";
  /** Not there for those without a token. */
  readonly private?: boolean;
  /** Sizes that the listing claims instead of the true ones. */
  readonly claimedSizes?: Readonly<Record<string, number>>;
  /** Entries that the listing has besides the files. */
  readonly extraEntries?: readonly unknown[];
}

/** What happens instead of the proper answer. */
export type HubFaultKind =
  /** This status, with these headers. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** The connection breaks after so many bytes of the body. */
  | { readonly cutAfter: number }
  /** The first byte of the body is another. */
  | { readonly wrongBytes: true }
  /** The whole file with status 200, whatever range was asked for. */
  | { readonly ignoreRange: true }
  /** Pieces of so many bytes, one every so many milliseconds. */
  | { readonly slow: { readonly bytes: number; readonly ms: number } }
  /** Nothing at all, until the server stops. */
  | { readonly silence: true };

/** A fault of some requests. */
export interface HubFault {
  /** Matched against `GET hub /path?query` or `GET cdn /path`. */
  readonly at: RegExp;
  /** How often it happens, from the first match on; always, if not given. */
  readonly times?: number;
  readonly fault: HubFaultKind;
}

/** A request that arrived. */
export interface HubRequest {
  readonly method: string;
  readonly host: "hub" | "cdn";
  /** Path and query. */
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** What the server serves. */
export interface HubServerOptions {
  readonly repos: readonly HubRepo[];
  /** The only valid token; none is valid if not given. */
  readonly token?: string;
  readonly faults?: readonly HubFault[];
  /** Entries of one page of a listing; 1000 if not given. */
  readonly pageSize?: number;
}

/** A running server. */
export interface HubServer extends AsyncDisposable {
  /** For HF_ENDPOINT. */
  readonly url: string;
  /** All requests so far, in order. */
  readonly requests: readonly HubRequest[];
}

interface StoredFile {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly oid: string;
  readonly sha256: string | undefined;
}

interface StoredRepo extends Omit<HubRepo, "files" | "lfs" | "commit"> {
  readonly files: ReadonlyMap<string, StoredFile>;
  readonly commit: string;
}

/** Starts a server; dispose (or `await using`) stops it. */
export function startHubServer(options: HubServerOptions): HubServer {
  const repos = options.repos.map(store);
  const blobs = new Map(
    repos.flatMap(({ files }) => [...files.values()])
      .filter(({ sha256 }) => sha256 !== undefined)
      .map(({ sha256, bytes }) => [`/blobs/${sha256}`, bytes]),
  );
  const requests: HubRequest[] = [];
  const strike = faultsInTurn(options.faults ?? []);
  const stopped = new AbortController();

  const serve = (host: "hub" | "cdn", answer: (request: Request, url: URL) => Response) =>
    Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      signal: stopped.signal,
      onListen: () => {},
      onError: () => new Response("the test server failed", { status: 500 }),
    }, async (request) => {
      const url = new URL(request.url);
      const path = url.pathname + url.search;
      const header = (name: string) => request.headers.get(name) ?? undefined;
      requests.push({
        method: request.method,
        host,
        path,
        range: header("range"),
        authorization: header("authorization"),
      });
      const fault = strike(`${request.method} ${host} ${path}`);
      if (fault === undefined) return answer(request, url);
      return await faulty(fault, request, (request) => answer(request, url), stopped.signal);
    });

  const cdn = serve("cdn", (request, url) => {
    const bytes = blobs.get(url.pathname);
    if (url.searchParams.get("signature") !== "valid" || bytes === undefined) {
      return new Response("AccessDenied", { status: 403 });
    }
    // as S3 does for signed addresses
    if (request.headers.has("authorization")) return new Response("two kinds", { status: 400 });
    return ranged(request, bytes, {});
  });
  const cdnUrl = `http://127.0.0.1:${cdn.addr.port}`;
  const hub = serve("hub", (request, url) => hubAnswer(request, url, repos, cdnUrl, options));

  return {
    url: `http://127.0.0.1:${hub.addr.port}`,
    requests,
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await Promise.all([hub.finished, cdn.finished]);
    },
  };
}

function store(repo: HubRepo): StoredRepo {
  const files = Object.entries(repo.files).map(([path, content]): StoredFile => {
    const bytes = Uint8Array.from(
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
    const isLfs = repo.lfs?.includes(path) ?? bytes.length >= 100_000;
    const sha256 = isLfs ? createHash("sha256").update(bytes).digest("hex") : undefined;
    const oid = gitBlobId(sha256 === undefined ? bytes : lfsPointer(sha256, bytes.length));
    return { path, bytes, oid, sha256 };
  });
  const state = files.map(({ path, oid }) => `${path} ${oid}\n`).join("");
  const commit = repo.commit ?? createHash("sha1").update(repo.id + state).digest("hex");
  return { ...repo, commit, files: new Map(files.map((file) => [file.path, file])) };
}

/** What git itself holds of an LFS file. */
function lfsPointer(sha256: string, size: number): Uint8Array {
  return new TextEncoder().encode(
    `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${size}\n`,
  );
}

function gitBlobId(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

/** The next fault for a request, if there is one. */
function faultsInTurn(
  faults: readonly HubFault[],
): (request: string) => HubFaultKind | undefined {
  const left = faults.map(({ times }) => times ?? Infinity);
  return (request) => {
    const index = faults.findIndex(({ at }, i) => left[i]! > 0 && at.test(request));
    if (index < 0) return undefined;
    left[index]!--;
    return faults[index]!.fault;
  };
}

async function faulty(
  fault: HubFaultKind,
  request: Request,
  answer: (request: Request) => Response,
  stopped: AbortSignal,
): Promise<Response> {
  if ("status" in fault) {
    return new Response("a fault", { status: fault.status, headers: fault.headers });
  }
  if ("silence" in fault) {
    return await new Promise<Response>((resolve) =>
      stopped.addEventListener("abort", () => resolve(new Response()))
    );
  }
  if ("ignoreRange" in fault) {
    const headers = new Headers(request.headers);
    headers.delete("range");
    return answer(new Request(request.url, { method: request.method, headers }));
  }
  const proper = answer(request);
  const bytes = new Uint8Array(await proper.arrayBuffer());
  const { status } = proper;
  const headers = { ...Object.fromEntries(proper.headers), "content-length": `${bytes.length}` };
  if ("wrongBytes" in fault) {
    bytes[0]! ^= 1;
    return new Response(bytes, { status, headers });
  }
  const pieces = "cutAfter" in fault ? cut(bytes, fault.cutAfter) : slowly(bytes, fault.slow);
  return new Response(ReadableStream.from(pieces), { status, headers });
}

async function* cut(bytes: Uint8Array, after: number): AsyncGenerator<Uint8Array> {
  yield bytes.subarray(0, after);
  // lets the bytes leave before the connection breaks
  await new Promise((resolve) => setTimeout(resolve, 20));
  throw new Error("the test server cuts the connection");
}

async function* slowly(
  bytes: Uint8Array,
  pace: { bytes: number; ms: number },
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pace.bytes) {
    yield bytes.subarray(at, at + pace.bytes);
    await new Promise((resolve) => setTimeout(resolve, pace.ms));
  }
}

type Identity = "nobody" | "known" | "invalid";

function identityOf(request: Request, token: string | undefined): Identity {
  const authorization = request.headers.get("authorization");
  if (authorization === null) return "nobody";
  return token !== undefined && authorization === `Bearer ${token}` ? "known" : "invalid";
}

function hubAnswer(
  request: Request,
  url: URL,
  repos: readonly StoredRepo[],
  cdn: string,
  { token, pageSize = 1000 }: HubServerOptions,
): Response {
  const identity = identityOf(request, token);
  if (identity === "invalid") {
    return refusal(401, "", "Invalid credentials in Authorization header");
  }
  const route = parseRoute(url.pathname);
  if (route === undefined) return refusal(404, "", "Sorry, we can't find the page");
  const commits = repos.filter(({ kind, id }) => kind === route.kind && id === route.id);
  const repo = commits.find((commit) => revisionsOf(commit).includes(route.revision)) ?? commits[0];
  if (repo === undefined || (repo.private && identity === "nobody")) {
    return identity === "nobody"
      ? refusal(401, "RepoNotFound", "Invalid username or password.")
      : refusal(404, "RepoNotFound", "Repository not found");
  }
  if (!revisionsOf(repo).includes(route.revision)) {
    return refusal(404, "RevisionNotFound", `Invalid rev id: ${route.revision}`);
  }
  if (route.action === "revision") return Response.json(describe(repo));
  if (route.action === "tree") return treePage(repo, url, pageSize);
  const gate = gateOf(repo, identity);
  if (gate !== undefined) return gate;
  const file = repo.files.get(route.path);
  if (file === undefined) {
    return refusal(404, "EntryNotFound", "Entry not found", { "x-repo-commit": repo.commit });
  }
  return resolve(request, url, route, repo, file, cdn);
}

function revisionsOf({ commit, revisions }: StoredRepo): string[] {
  return [commit, ...(revisions ?? ["main"])];
}

interface Route {
  readonly kind: "model" | "dataset";
  readonly id: string;
  readonly action: "revision" | "tree" | "resolve" | "resolve-cache";
  readonly revision: string;
  readonly path: string;
}

/** A revision is one part of the path, so that its slashes are written `%2F`. */
const API = /^\/api\/(model|dataset)s\/([^/]+\/[^/]+)\/(revision|tree)\/([^/]+)$/;
const RESOLVE = /^\/(datasets\/)?([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/;
/** Where small files are redirected to. */
const CACHE = /^\/api\/resolve-cache\/(model|dataset)s\/([^/]+\/[^/]+)\/([^/]+)\/(.+)$/;

function parseRoute(pathname: string): Route | undefined {
  const api = API.exec(pathname);
  if (api) {
    const [, kind, id, action, revision] = api as unknown as string[];
    return { kind, id, action, revision: decodeURIComponent(revision!), path: "" } as Route;
  }
  const cached = CACHE.exec(pathname);
  const direct = cached === null ? RESOLVE.exec(pathname) : null;
  if (cached === null && direct === null) return undefined;
  const [, first, id, revision, path] = (cached ?? direct) as unknown as string[];
  const kind = cached ? first : first === undefined ? "model" : "dataset";
  return {
    kind,
    id,
    action: cached ? "resolve-cache" : "resolve",
    revision: decodeURIComponent(revision!),
    path: decodeURIComponent(path!),
  } as Route;
}

function describe(repo: StoredRepo): unknown {
  return {
    id: repo.id,
    sha: repo.commit,
    private: repo.private ?? false,
    gated: repo.gated === undefined ? false : "manual",
    siblings: [...repo.files.keys()].map((rfilename) => ({ rfilename })),
  };
}

function treePage(repo: StoredRepo, url: URL, pageSize: number): Response {
  const folders = new Set(
    [...repo.files.keys()].flatMap((path) =>
      path.split("/").slice(0, -1).map((_, depth, parts) => parts.slice(0, depth + 1).join("/"))
    ),
  );
  const entries: unknown[] = [
    ...[...folders].map((path) => ({
      type: "directory",
      oid: gitBlobId(Buffer.from(path)),
      size: 0,
      path,
    })),
    ...[...repo.files.values()].map((file) => fileEntry(repo, file)),
    ...(repo.extraEntries ?? []),
  ];
  const start = Number(url.searchParams.get("cursor") ?? 0);
  const headers = new Headers();
  if (start + pageSize < entries.length) {
    const next = new URL(url);
    next.searchParams.set("cursor", String(start + pageSize));
    headers.set("link", `<${next}>; rel="next"`);
  }
  return Response.json(entries.slice(start, start + pageSize), { headers });
}

function fileEntry(
  { claimedSizes }: StoredRepo,
  { path, bytes, oid, sha256 }: StoredFile,
): unknown {
  const size = claimedSizes?.[path] ?? bytes.length;
  const entry = { type: "file", oid, size, path };
  return sha256 === undefined
    ? entry
    : { ...entry, lfs: { oid: sha256, size, pointerSize: lfsPointer(sha256, size).length } };
}

function gateOf({ gated, id, kind }: StoredRepo, identity: Identity): Response | undefined {
  const message = `Access to ${kind} ${id} is restricted`;
  if (gated === undefined) return undefined;
  if (identity === "nobody") return refusal(401, "GatedRepo", message);
  return gated === "refuses-everyone" ? refusal(403, "GatedRepo", message) : undefined;
}

function resolve(
  request: Request,
  url: URL,
  route: Route,
  repo: StoredRepo,
  { path, bytes, oid, sha256 }: StoredFile,
  cdn: string,
): Response {
  const headers = { "x-repo-commit": repo.commit };
  if (sha256 !== undefined) {
    return redirect(302, `${cdn}/blobs/${sha256}?signature=valid`, {
      ...headers,
      "x-linked-etag": `"${sha256}"`,
      "x-linked-size": `${bytes.length}`,
      etag: `"not-the-contents"`,
    });
  }
  if (route.action === "resolve") {
    const inside = path.split("/").map(encodeURIComponent).join("/");
    const place = `/api/resolve-cache/${repo.kind}s/${repo.id}/${repo.commit}/${inside}`;
    return redirect(307, place + url.search, headers);
  }
  return ranged(request, bytes, { ...headers, etag: `"${oid}"` });
}

function redirect(status: number, location: string, headers: Record<string, string>): Response {
  return new Response(null, { status, headers: { ...headers, location } });
}

function ranged(
  request: Request,
  bytes: Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
): Response {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "");
  const all = { ...headers, "accept-ranges": "bytes", "content-type": "application/octet-stream" };
  if (range === null) return body(request, bytes, 200, all);
  const start = Number(range[1]);
  const end = Math.min(range[2] === "" ? Infinity : Number(range[2]) + 1, bytes.length);
  if (start >= bytes.length) {
    const none = { ...all, "content-range": `bytes */${bytes.length}` };
    return new Response(null, { status: 416, headers: none });
  }
  const part = { ...all, "content-range": `bytes ${start}-${end - 1}/${bytes.length}` };
  return body(request, bytes.slice(start, end), 206, part);
}

function body(
  request: Request,
  bytes: Uint8Array<ArrayBuffer>,
  status: number,
  headers: Record<string, string>,
): Response {
  const content = request.method === "HEAD" ? null : bytes;
  return new Response(content, {
    status,
    headers: { ...headers, "content-length": `${bytes.length}` },
  });
}

function refusal(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  const named = code === "" ? headers : { ...headers, "x-error-code": code };
  return Response.json({ error: message }, {
    status,
    headers: { ...named, "x-error-message": message },
  });
}
