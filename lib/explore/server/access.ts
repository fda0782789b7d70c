/** Who may ask: visitors of this machine, by its own names, from the explorer's own pages. */
import { InputError } from "../../formats/input_error.ts";

/** Names of the machine itself. */
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/** Where a server listens. */
export interface Listening {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Name by which visitors of other machines reach this one. */
  readonly allowRemote?: string;
}

/**
 * Refuses to listen to other machines, unless that was asked for by name.
 *
 * @throws InputError for a host that is not this machine's own, and a name that is none
 */
export function checkListening({ host, allowRemote }: Listening): void {
  if (allowRemote !== undefined && !/^[\w.:[\]-]+$/.test(allowRemote)) {
    throw new InputError(
      `--allow-remote ${
        JSON.stringify(allowRemote)
      } is no name of a machine, expected one such as ` +
        `lab.example.org.`,
    );
  }
  const own = /^(127(\.\d{1,3}){3}|::1|localhost)$/.test(host);
  if (own || allowRemote !== undefined) return;
  throw new InputError(
    `--host ${host} would let other machines in, who could read all results and use the GPU: give ` +
      `--allow-remote with the name they reach this one by, or leave --host out.`,
  );
}

/**
 * Makes sure that one can listen: before the index is built, not after.
 *
 * @throws InputError for a port in use, or an address that is not this machine's
 */
export function checkPort({ host, port }: Listening): void {
  try {
    Deno.listen({ hostname: host, port }).close();
  } catch (error) {
    throw cannotListen(error as Error, { host, port });
  }
}

/** What to say where a server cannot listen. */
export function cannotListen(error: Error, { host, port }: Listening): Error {
  if (error instanceof Deno.errors.AddrInUse) {
    return new InputError(`Port ${port} is in use; name another by --port, or 0 for any.`);
  }
  if (
    error instanceof Deno.errors.AddrNotAvailable || error instanceof Deno.errors.PermissionDenied
  ) {
    return new InputError(`${host}:${port} cannot be listened at; name another --host or --port.`);
  }
  return error;
}

/**
 * Values of the Host header that are answered: a page of elsewhere whose name was made to point here
 * (DNS rebinding) has another.
 *
 * @param port that is listened at
 */
export function knownHosts({ host, allowRemote }: Listening, port: number): ReadonlySet<string> {
  const named = host.includes(":") ? `[${host}]` : host;
  const names = [...LOOPBACK, named, ...allowRemote === undefined ? [] : [allowRemote]];
  return new Set(names.flatMap((name) => {
    const lower = name.toLowerCase();
    return port === 80 ? [lower, `${lower}:80`] : [`${lower}:${port}`];
  }));
}

/** Whether a request that changes something or costs work comes from one of the explorer's own pages. */
export function isOwnOrigin(origin: string | undefined, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}
