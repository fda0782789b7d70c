/** Campaigns: inputs are read in a process of their own, whose end or silence is a finding too. */
import { ROOT } from "../support/run.ts";
import type { Job, Said, Tally } from "./inputs.ts";

/** An input that a reader did not take as it should. */
export interface Finding {
  readonly target: string;
  readonly seed: number;
  /** Number of the input. */
  readonly n: number;
  readonly what: string;
}

/** What a campaign saw. */
export interface Report {
  readonly findings: readonly Finding[];
  /** By target; inputs before a process was brought down are missing. */
  readonly tallies: ReadonlyMap<string, Tally>;
}

/** How a campaign is watched. */
export interface Watch {
  /** Called after each target. */
  readonly onDone?: (target: string, tally: Tally) => void;
  /** Called at each finding. */
  readonly onFinding?: (finding: Finding) => void;
  /** Longest silence of a process, in ms. */
  readonly patience?: number;
  /** The process: `inputs.ts`, unless a test has one of its own. */
  readonly script?: string;
}

/** Findings after which a target is left alone. */
const MOST_FINDINGS = 20;
/** Includes the start of the process, on a busy machine. */
const PATIENCE_MS = 20_000;
/** Heap of the process, in MiB. */
const HEAP_MIB = 512;

/** Reads all inputs of some jobs, of one target each. */
export async function campaign(jobs: readonly Job[], watch: Watch = {}): Promise<Report> {
  const findings: Finding[] = [];
  const tallies = new Map<string, Tally>();
  const found = (finding: Finding) => {
    findings.push(finding);
    watch.onFinding?.(finding);
  };
  let left = [...jobs];
  while (left.length > 0) {
    const [job] = left;
    const death = await process(left, watch, {
      found: (target, n, what) => found({ target, seed: job.seed, n, what }),
      done(target, tally) {
        tallies.set(target, tally);
        watch.onDone?.(target, tally);
      },
    });
    if (!death) break;
    const { target, n, what } = death;
    found({ target, seed: job.seed, n, what });
    left = left.slice(left.findIndex((job) => job.target === target));
    left[0] = { ...left[0], from: n + 1 };
    const many = findings.filter((finding) => finding.target === target).length >= MOST_FINDINGS;
    if (many || left[0].from >= left[0].to) left.shift();
  }
  return { findings, tallies };
}

interface Listener {
  found(target: string, n: number, what: string): void;
  done(target: string, tally: Tally): void;
}

/** The input at which the process was silent for too long, or came to an end. */
interface Death {
  readonly target: string;
  readonly n: number;
  readonly what: string;
}

/** Runs jobs to the end of the process that reads them; undefined when that is the end of all. */
async function process(
  jobs: readonly Job[],
  { patience = PATIENCE_MS, script = `${ROOT}tests/fuzz/inputs.ts` }: Watch,
  listener: Listener,
): Promise<Death | undefined> {
  await using child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--allow-read",
      "--allow-env",
      "--allow-ffi",
      "--allow-sys",
      `--v8-flags=--max-old-space-size=${HEAP_MIB}`,
      script,
      JSON.stringify(jobs),
    ],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = child.stderr.pipeThrough(new TextDecoderStream()).values();
  let at = { target: jobs[0].target, n: jobs[0].from };
  let heard = performance.now();
  let silent = false;
  const timer = setInterval(() => {
    silent ||= performance.now() - heard > patience;
    if (silent) child.kill("SIGKILL");
  }, 250);
  const lastWords = Array.fromAsync(stderr);
  for await (const line of linesOf(child.stdout)) {
    if (!line.startsWith("{")) continue; // what native libraries have to say
    const said: Said = JSON.parse(line);
    heard = performance.now();
    if (said.kind === "at") at = said;
    else if (said.kind === "finding") listener.found(at.target, said.n, said.what);
    else listener.done(said.target, said.tally);
  }
  const { success, code } = await child.status;
  clearInterval(timer);
  if (silent) return { ...at, what: `no answer in ${patience} ms` };
  const words = (await lastWords).join("");
  return success
    ? undefined
    : { ...at, what: `the process ended with ${code}: ${words.slice(-2000)}` };
}

/** Lines of JSON: only LF divides them, whatever stands in their texts. */
async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let begun = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (begun + text).split("\n");
    begun = lines.pop() ?? "";
    yield* lines;
  }
}
