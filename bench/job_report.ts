/** What the sides of a job took, and how they stand to each other, as Markdown. */
import { agreement, type Findings, percent } from "./job_findings.ts";
import { markdownTable } from "./markdown_table.ts";
import { type Clock, medianTime, ratio, type Series, type Timing } from "./measure.ts";

/** What one side took and found. */
export interface Result extends Series {
  /** Most host memory at a time. */
  readonly residentBytes: number;
  /** Most on disk at a time that is no result. */
  readonly scratchBytes: number;
  readonly findings: Findings;
  /** What the first text alone takes: little but the start. Absent where that was not measured. */
  readonly start?: Timing;
}

/** All sides of a job. */
export interface Contest {
  readonly title: string;
  /** `identify` with all that it does, and without what the peers have not. */
  readonly whole: Result;
  readonly method: Result;
  readonly peers?: { readonly original: Result; readonly best: Result };
}

/** What is wanted of the method alone. */
export interface Goals {
  /** Times the speed of a peer. */
  readonly original?: number;
  readonly best?: number;
  /** Share of the best way's memory; with it, no scratch disk. */
  readonly memory?: number;
}

/** How a contest is judged. */
export interface Judging {
  readonly clock: Clock;
  /** Whether GPU memory lies beside the host's instead of in it. */
  readonly separate: boolean;
  readonly goals: Goals;
}

/**
 * The lines of a job.
 *
 * @throws WrongResult where a peer found something else
 */
export function jobLines(contest: Contest, judging: Judging): string[] {
  const { title, whole, method, peers } = contest;
  const languages = [...whole.findings.byLanguage.values()];
  const tokens = languages.reduce((sum, { tokens }) => sum + tokens, 0);
  const results = [whole, method, ...peers ? [peers.original, peers.best] : []];
  return [
    `**${title}; ${languages.length} languages, ${tokens.toLocaleString("en")} tokens**`,
    "",
    ...usageTable(results, tokens),
    ...peers ? ["", ...comparisonTable(contest, peers, judging)] : [],
  ];
}

function usageTable(results: readonly Result[], tokens: number): string[] {
  const figures = ["CPU s", "wall s", "tokens / CPU s", "tokens / s", "start: CPU s"];
  return markdownTable(
    columns(["who", ...figures, "tokens / CPU s after it", "memory", "GPU memory", "disk"]),
    results.map((result) => {
      const [cpu, wall] = [medianTime(result, "cpuMs"), medianTime(result, "wallMs")];
      const { name, start, residentBytes, scratchBytes, findings: { gpuBytes } } = result;
      return [
        name,
        seconds(cpu),
        seconds(wall),
        perSecond(tokens, cpu),
        perSecond(tokens, wall),
        start ? seconds(start.cpuMs) : "–",
        start ? perSecond(tokens, cpu - start.cpuMs) : "–",
        bytes(residentBytes),
        gpuBytes === null ? "–" : bytes(gpuBytes),
        bytes(scratchBytes),
      ];
    }),
  );
}

function comparisonTable(
  { whole, method }: Contest,
  { original, best }: { readonly original: Result; readonly best: Result },
  { clock, separate, goals }: Judging,
): string[] {
  const by = clock === "cpuMs" ? "CPU" : "wall";
  const memory = ({ residentBytes, findings }: Result) =>
    residentBytes + (separate ? findings.gpuBytes ?? 0 : 0);
  const row = (peer: Result, speedGoal?: number, memoryGoal?: number) => {
    const { features, equalCounts, moved, firings } = agreement(
      whole.findings,
      peer.findings,
      peer.name,
    );
    const speed = ratio(method, peer, clock);
    const share = memory(method) / memory(peer);
    const judged = [
      speedGoal !== undefined && verdict(`speed ≥ ${times(speedGoal)}`, speed.median >= speedGoal),
      memoryGoal !== undefined && verdict(`memory ≤ ${times(memoryGoal)}`, share <= memoryGoal),
      memoryGoal !== undefined && verdict("no disk", method.scratchBytes === 0),
    ];
    return [
      peer.name,
      percent(features),
      percent(equalCounts),
      `${moved} of ${firings.toLocaleString("en")}`,
      `${times(speed.median)} (${times(speed.least)}–${times(speed.most)})`,
      times(ratio(whole, peer, clock).median),
      times(share),
      judged.filter(Boolean).join(", "),
    ];
  };
  const headers = ["against", "same features", "same counts", "firings moved"];
  return markdownTable(
    columns([...headers, `speed by ${by} (range)`, "of all of identify", "memory", "goal"]),
    [row(original, goals.original), row(best, goals.best, goals.memory)],
  );
}

/** The first column is text, the others are figures. */
function columns(headers: readonly string[]) {
  return headers.map((header, i) => ({ header, align: i === 0 ? "left" : "right" } as const));
}

function verdict(goal: string, met: boolean): string {
  return `${goal} ${met ? "met" : "missed"}`;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}

function perSecond(tokens: number, milliseconds: number): string {
  const speed = tokens * 1000 / milliseconds;
  return speed.toFixed(speed < 100 ? 1 : 0);
}

function times(ratio: number): string {
  return ratio.toFixed(2);
}

function bytes(count: number): string {
  if (count === 0) return "none";
  const mebibytes = count / 2 ** 20;
  return mebibytes < 1000 ? `${mebibytes.toFixed(1)} MiB` : `${(mebibytes / 1024).toFixed(2)} GiB`;
}
