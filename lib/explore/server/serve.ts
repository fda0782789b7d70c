/** Serving until Ctrl-C. */
import { print, remark } from "../../cli/output.ts";
import { onInterrupt } from "../../cli/run.ts";
import type { Backend } from "../backend.ts";
import { cannotListen, checkListening, knownHosts, type Listening } from "./access.ts";
import { explorerApp } from "./app.ts";
import { bundleAssets } from "./assets.ts";

/**
 * Answers visitors until Ctrl-C; runs of the model end with it.
 *
 * @throws InputError for a host or port that cannot be listened at
 */
export async function serveExplorer(backend: Backend, listening: Listening): Promise<void> {
  checkListening(listening);
  const assets = await bundleAssets();
  const ending = new AbortController();
  using _ = onInterrupt(() => ending.abort(new Error("The explorer ends.")));
  const { promise: address, resolve: listens } = Promise.withResolvers<Deno.NetAddr>();
  const server = listen(listening, ending.signal, listens, async (request) => {
    const app = await applied;
    return await app.fetch(request);
  });
  const applied = address.then(({ port }) =>
    explorerApp({ backend, assets, hosts: knownHosts(listening, port), ending: ending.signal })
  );
  const { port } = await address;
  print(`The explorer is at http://${urlHost(listening.host)}:${port}/ (Ctrl-C ends it)`);
  await server.finished;
  remark("The explorer has ended.");
}

function listen(
  { host, port }: Listening,
  signal: AbortSignal,
  onListen: (address: Deno.NetAddr) => void,
  handler: (request: Request) => Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname: host, port, signal, onListen }, handler);
  } catch (error) {
    throw cannotListen(error as Error, { host, port });
  }
}

function urlHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
