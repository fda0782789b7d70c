/** What is fuzzed: a reader, files that it reads, and changes that leave them almost right. */
import { cpuUsage } from "node:process";
import { InputError } from "../../lib/formats/input_error.ts";
import type { Bytes } from "./bytes.ts";
import { Random } from "./random.ts";

/** Name of the file that inputs pretend to be; a target may add an ending. */
export const WHERE = "folder/fuzzed";

/** A reader under test. */
export interface Target {
  readonly name: string;
  /** Share of a campaign's inputs, in relation to the other targets': more where reading is cheap. */
  readonly share: number;
  /** Files that the reader accepts, or refuses for one fault that it knows; in a fixed order. */
  seeds(): Promise<readonly Bytes[]>;
  /** A changed copy of `seed`. */
  mutate(seed: Bytes, random: Random, seeds: readonly Bytes[]): Bytes;
  /**
   * Reads all that there is in a file, also what is read late, as far as that is bounded.
   *
   * @throws InputError that names {@linkcode WHERE} when the file is bad: anything else is a finding
   */
  read(bytes: Bytes): Promise<void>;
}

/** How reading ended. */
export type Outcome =
  | { readonly kind: "read" }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "finding"; readonly what: string };

/** Longest refusal. */
export const MAX_MESSAGE_LENGTH = 2000;
/** Longest time of one input on a processor, in ms: the largest are 256 KiB. */
export const MAX_MS = 2000;
/** Most memory of one input, in bytes. */
export const MAX_BYTES = 512 * 2 ** 20;

/** Input number `n` of a target in the campaign of a seed. */
export async function inputOf(target: Target, seed: number, n: number): Promise<Bytes> {
  const seeds = await target.seeds();
  if (n < seeds.length) return seeds[n];
  const random = new Random(seed, nameNumber(target.name), n);
  return target.mutate(random.pick(seeds), random, seeds);
}

function nameNumber(name: string): number {
  return [...name].reduce((sum, letter) => Math.imul(sum, 31) + letter.codePointAt(0)!, 7);
}

/** Reads an input and says what came of it. */
export async function judge(target: Target, bytes: Bytes): Promise<Outcome> {
  const before = memory();
  const [start, used] = [performance.now(), cpuUsage()];
  const outcome = await readingOf(target, bytes);
  const { user, system } = cpuUsage(used);
  // the clock goes on where a machine is busy elsewhere, the processors' where threads are several
  const ms = Math.min(performance.now() - start, (user + system) / 1000);
  if (outcome.kind === "finding") return outcome;
  if (ms > MAX_MS) return { kind: "finding", what: `took ${Math.round(ms)} ms` };
  const grown = memory() - before;
  if (grown <= MAX_BYTES) return outcome;
  return { kind: "finding", what: `took ${Math.round(grown / 2 ** 20)} MiB` };
}

async function readingOf(target: Target, bytes: Bytes): Promise<Outcome> {
  try {
    await target.read(bytes);
    return { kind: "read" };
  } catch (error) {
    if (!(error instanceof InputError)) {
      return { kind: "finding", what: error instanceof Error ? `${error.stack}` : String(error) };
    }
    const { message } = error;
    const fault = faultOf(message);
    return fault === undefined
      ? { kind: "refused", message }
      : { kind: "finding", what: `${fault}: ${message.slice(0, 3000)}` };
  }
}

/** What a refusal should not be. */
function faultOf(message: string): string | undefined {
  if (!message.includes(WHERE)) return "a message that does not name the file";
  if (message.length > MAX_MESSAGE_LENGTH) return `a message of ${message.length} characters`;
  if (/[\p{Cc}\u2028\u2029]/u.test(message)) return "a message of several lines or with controls";
  if (!/[.?]$/.test(message)) return "a message that is no sentence";
}

/** Bytes in use by scripts, with those of array buffers. */
function memory(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}
