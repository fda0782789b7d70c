/** Runs commands as a user does, for tests of whole steps. */

/** What a command left behind. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where a command runs. */
export interface Place {
  readonly cwd?: string;
  /** Added to the environment, or all of it with `clearEnv`. */
  readonly env?: Record<string, string>;
  readonly clearEnv?: boolean;
}

/** The checkout's folder, with a final slash. */
export const ROOT = new URL("../../", import.meta.url).pathname;

/** Runs a command to its end, without a terminal and without colours. */
export async function runCommand(
  command: string,
  args: readonly string[],
  place: Place = {},
): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    ...place,
    env: { NO_COLOR: "1", ...place.env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  // What Deno says of packages that it fetches on a first run is not the command's.
  const said = decoder.decode(stderr).replace(/^(Download|Initialize|Check) .*\n/gm, "");
  return { code, stdout: decoder.decode(stdout), stderr: said };
}

/** Runs `babelscope` of this checkout. */
export function babelscope(args: readonly string[], place: Place = {}): Promise<Outcome> {
  return runCommand(`${ROOT}babelscope`, args, place);
}

/** Runs a script of this checkout by itself: `scripts/<step>.ts`. */
export function runScript(
  step: string,
  args: readonly string[],
  place: Place = {},
): Promise<Outcome> {
  return runCommand(`${ROOT}scripts/${step}.ts`, args, place);
}

/** Makes a folder for the length of one test. */
export async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
