/** Connections to this machine, whatever proxy the environment names. */

const VARIABLE = "NO_PROXY";

/**
 * A client that goes to loopback addresses itself. Deno sends even those to the proxy of HTTP_PROXY,
 * which does not reach this machine's servers and should not see their keys.
 */
export function directClient(): Deno.HttpClient {
  const before = Deno.env.get(VARIABLE);
  // read when a client is made, and only then
  Deno.env.set(VARIABLE, "127.0.0.0/8,localhost,.localhost,::1");
  try {
    return Deno.createHttpClient({});
  } finally {
    if (before === undefined) Deno.env.delete(VARIABLE);
    else Deno.env.set(VARIABLE, before);
  }
}
