/** Where an endpoint is and who may read what is sent there. */
import { InputError } from "../formats/input_error.ts";
import { ApiKey, type Environment, keyVariables, needsKey } from "./api_key.ts";

/** An endpoint that may be asked. */
export interface EndpointAddress {
  /** Such as `https://openrouter.ai/api/v1`: no credentials, no final slash. */
  readonly base: string;
  readonly host: string;
  /** True for this machine. */
  readonly loopback: boolean;
  readonly key?: ApiKey;
}

/**
 * Reads `--base-url` and finds the key for it.
 *
 * @throws InputError when it is no address of the web, holds a secret itself, needs a key that is not
 *   set, or would be sent the key in the clear
 */
export function endpointAddress(baseUrl: string, environment: Environment): EndpointAddress {
  const url = URL.parse(baseUrl);
  // none of these sentences repeats the address: it may hold a secret
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new InputError(
      "--base-url is no address of the web; write one such as https://openrouter.ai/api/v1 or " +
        "http://127.0.0.1:8080/v1.",
    );
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new InputError(
      `--base-url holds a user, a password or a query, which would be written into results; name ` +
        `the address alone and put the key into ${keyVariables(url.hostname)[0]}.`,
    );
  }
  const base = url.origin + url.pathname.replace(/\/+(chat\/completions\/*)?$/, "");
  const host = url.hostname;
  const loopback = isLoopback(host);
  const key = ApiKey.find(host, environment);
  if (key === undefined && needsKey(host)) {
    const [variable] = keyVariables(host);
    throw new InputError(`${host} needs a key; set ${variable} in the environment.`);
  }
  if (key !== undefined && url.protocol === "http:" && !loopback) {
    throw new InputError(
      `${key.variable} would travel to ${host} in the clear; use https:// in --base-url, or unset ` +
        `${key.variable} if the server needs no key.`,
    );
  }
  return { base, host, loopback, key };
}

/** Names and numbers of this machine, as `URL` writes them. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" ||
    /^127\.\d+\.\d+\.\d+$/.test(host);
}
