/**
 * Reads inputs one after the other and says on stdout what came of them: the process that a
 * campaign watches, and that a reader may hang or bring down. Argument: jobs in JSON.
 */
import { inputOf, judge, type Outcome, type Target } from "./target.ts";
import { targetNamed } from "./targets.ts";

/** Inputs `from` to `to`, half open, of a target. */
export interface Job {
  readonly target: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

/** What the process says, a line of JSON each. */
export type Said =
  /** Before each input. */
  | { readonly kind: "at"; readonly target: string; readonly n: number }
  | { readonly kind: "finding"; readonly n: number; readonly what: string }
  | { readonly kind: "done"; readonly target: string; readonly tally: Tally };

/** What came of the inputs of a job. */
export interface Tally {
  read: number;
  refused: number;
  /** Kinds of refusals: messages without their numbers and quotations. */
  refusals: string[];
  /** Most memory that the process had, in bytes. */
  peak: number;
}

/** Kinds of refusals that are told apart. */
const MOST_REFUSALS = 1000;

async function run({ target: name, seed, from, to }: Job): Promise<void> {
  const target = targetNamed(name);
  const refusals = new Set<string>();
  const tally: Tally = { read: 0, refused: 0, refusals: [], peak: 0 };
  for (let n = from; n < to; n++) {
    say({ kind: "at", target: name, n });
    const outcome = await confirmed(target, await inputOf(target, seed, n));
    if (outcome.kind === "finding") say({ kind: "finding", n, what: outcome.what });
    else tally[outcome.kind]++;
    if (outcome.kind === "refused" && refusals.size < MOST_REFUSALS) {
      refusals.add(outcome.message.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/[\d.]+/g, "0"));
    }
    if (n % 64 === 0) tally.peak = Math.max(tally.peak, Deno.memoryUsage().rss);
  }
  say({ kind: "done", target: name, tally: { ...tally, refusals: [...refusals] } });
}

/** A machine that is busy elsewhere, or garbage of earlier inputs, is no fault of an input. */
async function confirmed(target: Target, bytes: Uint8Array<ArrayBuffer>): Promise<Outcome> {
  const outcome = await judge(target, bytes);
  return outcome.kind === "finding" ? await judge(target, bytes) : outcome;
}

function say(said: Said): void {
  const line = new TextEncoder().encode(JSON.stringify(said) + "\n");
  for (let at = 0; at < line.length;) at += Deno.stdout.writeSync(line.subarray(at));
}

if (import.meta.main) { for (const job of JSON.parse(Deno.args[0]) as Job[]) await run(job); }
