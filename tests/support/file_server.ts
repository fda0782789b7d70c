/** Files over HTTP on loopback, as a host of static sites hands them out. */
import { extname, join, normalize } from "node:path/posix";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
};

/** Files in memory, by path below the root. */
export type ServedFiles = Readonly<Record<string, string>>;

/**
 * Serves a folder while `use` runs.
 *
 * @param more files beside those of the folder, or in their stead
 * @param below path that the files are under, with slashes at both ends
 */
export async function withFileServer(
  folder: string,
  use: (root: string) => Promise<void>,
  { more = {}, below = "/" }: { more?: ServedFiles; below?: string } = {},
): Promise<void> {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith(below)) return new Response("", { status: 404 });
    const path = normalize(pathname.slice(below.length)) || "index.html";
    const named = path === "." ? "index.html" : path;
    const headers = { "content-type": TYPES[extname(named)] ?? "application/octet-stream" };
    if (named in more) return new Response(more[named], { headers });
    try {
      return new Response(await Deno.readFile(join(folder, named)), { headers });
    } catch {
      return new Response("", { status: 404 });
    }
  });
  try {
    await use(`http://127.0.0.1:${server.addr.port}${below}`);
  } finally {
    await server.shutdown();
  }
}
