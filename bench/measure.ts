/** Timing two contenders side by side: alternating, calibrated, judged by medians. */

/** What executions took. CPU time counts all threads of the process. */
export interface Timing {
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** Something that can be timed: a kernel of ours or the same work done by a peer. */
export interface Contender {
  readonly name: string;
  /** Executes `repeats` times in a row; returns the time of all of them. */
  run(repeats: number): Promise<Timing>;
}

/** Shortest run worth timing: shorter ones measure the 11 ms of an awaited submit. */
const SHORTEST_RUN_MS = 700;
const MOST_REPEATS = 512;

/** Times of single executions of one contender, a round each. */
export interface Series {
  readonly name: string;
  readonly rounds: readonly Timing[];
}

/**
 * Times contenders in turn, `rounds` times, so that they share whatever else the machine does.
 * Each warms up first, and is repeated within a round until the clock's and the submit's share of
 * its time is small.
 */
export async function alternate(
  contenders: readonly Contender[],
  rounds: number,
): Promise<Series[]> {
  const repeats: number[] = [];
  for (const contender of contenders) repeats.push(await calibrate(contender));
  const series = contenders.map(({ name }) => ({ name, rounds: [] as Timing[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      const { cpuMs, wallMs } = await contender.run(repeats[i]);
      series[i].rounds.push({ cpuMs: cpuMs / repeats[i], wallMs: wallMs / repeats[i] });
    }
  }
  return series;
}

async function calibrate(contender: Contender): Promise<number> {
  await contender.run(1); // Compiles, allocates, touches memory for the first time.
  const { wallMs } = await contender.run(1);
  return Math.min(MOST_REPEATS, Math.max(1, Math.ceil(SHORTEST_RUN_MS / wallMs)));
}

/** The middle value, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(half)] : (sorted[half - 1] + sorted[half]) / 2;
}

/** How many times as fast as a peer we are: below 1, the peer is faster. */
export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** The peer's time over ours, round by round: the two of a round saw the same machine. */
export function ratio(ours: Series, peer: Series, clock: keyof Timing): Ratio {
  const ratios = ours.rounds.map((round, i) => peer.rounds[i][clock] / round[clock]);
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}
