#!/usr/bin/env -S deno run --allow-read --allow-env --allow-run=deno
/**
 * babelscope test: runs the tests through `deno test` and ends with one line of totals,
 * `N passed, N failed, N skipped`. `--all` adds the tests that take minutes; other arguments go to
 * `deno test` as they are.
 */
import { stripVTControlCharacters } from "node:util";
import { print, remark } from "../lib/cli/output.ts";

/** What the tests as a whole may do: they run steps, serve pages to a browser, use the GPU. */
const PERMISSIONS = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-ffi",
  "--allow-sys",
  "--allow-run",
  "--allow-net=127.0.0.1,localhost",
];

/** What the tests find in their environment, besides the caller's. */
const ENVIRONMENT = {
  // Keeps playwright from looking for Windows in /proc/sys, which Deno allows only with all rights.
  __IS_WSL_TEST__: "1",
};

const ROOT = new URL("../", import.meta.url).pathname;

/** How many tests ended how. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Reads the closing line of `deno test` (`ok | 12 passed (3 steps) | 0 failed | 2 ignored (35ms)`).
 * The last one counts: a test may itself run tests and print theirs.
 *
 * @returns `undefined` when there is none, as when a test file does not compile
 */
export function readTotals(output: string): Totals | undefined {
  const line = stripVTControlCharacters(output).split("\n")
    .findLast((line) => /^(ok|FAILED) \| \d+ passed/.test(line));
  if (line === undefined) return undefined;
  const count = (what: string) => Number(new RegExp(`\\| (\\d+) ${what}`).exec(line)?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed"), skipped: count("ignored") };
}

/** Paths are meant from the caller's folder, the tests run in the checkout's. */
async function fromHere(argument: string): Promise<string> {
  if (argument.startsWith("-")) return argument;
  try {
    return await Deno.realPath(argument);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return argument;
    throw error;
  }
}

/** Passes a stream on to stdout while it runs, from its turn on, and returns its text. */
async function show(stream: ReadableStream<Uint8Array>, turn: Promise<unknown>): Promise<string> {
  const decoder = new TextDecoder();
  const held: Uint8Array[] = [];
  let text = "";
  let write = (bytes: Uint8Array) => void held.push(bytes);
  const begun = turn.then(() => {
    write = (bytes) => void Deno.stdout.writeSync(bytes);
    held.forEach(write);
  });
  for await (const bytes of stream) {
    write(bytes);
    text += decoder.decode(bytes, { stream: true });
  }
  await begun;
  return text;
}

/** How one `deno test` ended. */
interface Ended {
  readonly totals: Totals;
  readonly code: number;
}

async function runTests(
  args: readonly string[],
  all: boolean,
  turn: Promise<unknown>,
): Promise<Ended> {
  const child = new Deno.Command("deno", {
    args: ["test", "--ignore=scripts/test.ts", ...PERMISSIONS, ...args],
    cwd: ROOT,
    env: { ...ENVIRONMENT, BABELSCOPE_ALL_TESTS: all ? "1" : "" },
    stdout: "piped",
  }).spawn();
  const [output, { code }] = await Promise.all([show(child.stdout, turn), child.status]);
  const totals = readTotals(output);
  if (totals === undefined) remark("babelscope test: the tests did not come to an end.");
  return { totals: totals ?? { passed: 0, failed: 1, skipped: 0 }, code };
}

/**
 * All tests in two halves, which run at once: either leaves much of two cores idle. So that both take
 * about the same time, the tests of whole scripts from "r" on run with those of the rooms.
 */
async function halves(): Promise<string[][]> {
  const entries = await Array.fromAsync(Deno.readDir(`${ROOT}tests`));
  const ofScripts = entries
    .filter(({ name, isDirectory }) => isDirectory || name.endsWith("_test.ts"))
    .map(({ name }) => `tests/${name}`)
    .sort();
  const { first = [], second = [] } = Object.groupBy(
    ofScripts,
    (path) => path < "tests/r" ? "first" : "second",
  );
  return [["lib", "bench", ...second], first];
}

async function test(args: readonly string[]): Promise<number> {
  const all = args.includes("--all");
  const rest = await Promise.all(args.filter((argument) => argument !== "--all").map(fromHere));
  const named = rest.some((argument) => !argument.startsWith("-"));
  const runs: Promise<Ended>[] = [];
  for (const run of named ? [rest] : (await halves()).map((half) => [...half, ...rest])) {
    runs.push(runTests(run, all, Promise.all(runs)));
  }
  const ended = await Promise.all(runs);
  const sum = (what: keyof Totals) => ended.reduce((sum, { totals }) => sum + totals[what], 0);
  const [passed, failed, skipped] = [sum("passed"), sum("failed"), sum("skipped")];
  if (passed + failed === 0) remark("babelscope test: no test was run, which counts as a failure.");
  print(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return ended.find(({ code }) => code !== 0)?.code ?? (passed === 0 ? 1 : 0);
}

if (import.meta.main) Deno.exit(await test(Deno.args));
