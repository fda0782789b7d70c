/** Timing contenders side by side: alternating, calibrated, judged by medians. */

/** What executions took. CPU time counts all threads of the process. */
export interface Timing {
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** Which of the two times judges: CPU time where kernels run on the processor, else wall time. */
export type Clock = keyof Timing;

/** Something that can be timed: a kernel of ours or the same work done by a peer. */
export interface Contender {
  readonly name: string;
  /** Executes `repeats` times in a row; returns the time of all of them. */
  run(repeats: number): Promise<Timing>;
}

/** How long a contender runs in a round: shorter runs measure the 11 ms of an awaited submit. */
const RUN_MS = 700;

/** A run this long foretells longer ones: the await is a twentieth of it. */
const TELLING_MS = 200;

const MOST_REPEATS = 8192;

/** Times of single executions of one contender, a round each. */
export interface Series {
  readonly name: string;
  readonly rounds: readonly Timing[];
}

/**
 * Times contenders in turn, `rounds` times, so that they share whatever else the machine does.
 * Each warms up first, and is repeated within a round until the clock's and the submit's share of
 * its time is small.
 *
 * @param runMs how long a contender runs in a round, at least
 */
export async function alternate(
  contenders: readonly Contender[],
  rounds: number,
  runMs = RUN_MS,
): Promise<Series[]> {
  const repeats: number[] = [];
  for (const contender of contenders) repeats.push(await calibrate(contender, runMs));
  const series = contenders.map(({ name }) => ({ name, rounds: [] as Timing[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      const { cpuMs, wallMs } = await contender.run(repeats[i]);
      series[i].rounds.push({ cpuMs: cpuMs / repeats[i], wallMs: wallMs / repeats[i] });
    }
  }
  return series;
}

/** Executions that take `runMs`, found by running more of them until the time tells. */
async function calibrate(contender: Contender, runMs: number): Promise<number> {
  await contender.run(1); // Compiles, allocates, touches memory for the first time.
  for (let tried = 1;; tried = Math.min(MOST_REPEATS, 8 * tried)) {
    const { wallMs } = await contender.run(tried);
    if (wallMs < Math.min(TELLING_MS, runMs) && tried < MOST_REPEATS) continue;
    return Math.min(MOST_REPEATS, Math.max(1, Math.ceil(tried * runMs / wallMs)));
  }
}

/** The middle value, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(half)] : (sorted[half - 1] + sorted[half]) / 2;
}

/** The median time of an execution, in milliseconds. */
export function medianTime({ rounds }: Series, clock: Clock): number {
  return median(rounds.map((round) => round[clock]));
}

/** How many times as fast as another we are: below 1, the other is faster. */
export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** The other's time over ours, round by round: the two of a round saw the same machine. */
export function ratio(ours: Series, other: Series, clock: Clock): Ratio {
  const ratios = ours.rounds.map((round, i) => other.rounds[i][clock] / round[clock]);
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}
