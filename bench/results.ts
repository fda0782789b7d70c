/** What was measured, as a table, and the file that collects it. */
import { cpus } from "node:os";
import { dirname } from "node:path";
import type { Column } from "../lib/cli/table.ts";
import { isFile } from "../lib/data/file_tree.ts";
import { prepareFolder, readText, writeAtomic } from "../lib/data/files.ts";
import { markdownTable } from "./markdown_table.ts";
import { type Clock, medianTime, type Ratio, ratio, type Series } from "./measure.ts";
import type { Section } from "./section.ts";

/** One workload and whoever else did the same work. */
export interface Measurement {
  readonly name: string;
  /** Multiplications and additions of one execution. */
  readonly flops: number;
  readonly ours: Series;
  readonly peers: readonly Series[];
  /** What bounds the work. */
  readonly ceiling?: Bound;
  /** The product alone, where the work is more than a product: the rest is TopK. */
  readonly product?: Series;
  readonly goals: readonly Goal[];
}

/** A ceiling of the adapter, measured in the same rounds. */
export interface Bound {
  readonly series: Series;
  /** An execution of ours in executions of the ceiling: what it would take at best. */
  readonly amount: number;
  /** Memory rather than arithmetic. */
  readonly copy: boolean;
}

/** What is wanted of a measurement; one that needs a peer that is not here does not count. */
export type Goal =
  /** Least speed, as a ratio to the first peer. */
  | { readonly of: "peer"; readonly least: number }
  /** Least share of the ceiling. */
  | { readonly of: "peak"; readonly least: number }
  /** Largest share of TopK. */
  | { readonly of: "TopK"; readonly most: number };

/** What the figures hold for. */
export interface Circumstances {
  readonly adapter: string;
  readonly driver: string;
  /** Kernel family in use. */
  readonly family: string;
  /** Versions and BLAS of the peers. */
  readonly peers: readonly string[];
  /** As it can be typed again. */
  readonly command: string;
}

/** One dated entry of a Markdown file, which grows by a section whenever one is measured. */
export class ResultsEntry {
  #begun = false;

  private constructor(readonly path: string, readonly circumstances: Circumstances) {}

  /**
   * Makes sure, before the hours of measuring, that the file can be read and written; one that is not
   * there is begun.
   *
   * @throws InputError when it cannot
   */
  static async open(path: string, circumstances: Circumstances): Promise<ResultsEntry> {
    await prepareFolder(dirname(path));
    if (!await isFile(path)) await writeAtomic(path, "");
    await readText(path);
    return new ResultsEntry(path, circumstances);
  }

  /**
   * Adds a section at the end of the file, the first one under the date and the circumstances.
   *
   * @throws InputError when the file cannot be read or written
   */
  async add({ title, lines }: Section): Promise<void> {
    const section = [`### ${title}`, "", ...lines];
    if (this.#begun) await append(this.path, section);
    else await appendSection(this.path, [...describe(this.circumstances), "", ...section]);
    this.#begun = true;
  }
}

/**
 * Adds lines, under the date, to a Markdown file.
 *
 * @throws InputError when the file cannot be read or written
 */
export async function appendSection(path: string, lines: readonly string[]): Promise<void> {
  const now = new Date().toISOString().slice(0, 16).replace("T", " ");
  await append(path, [`## ${now} UTC`, "", ...lines]);
}

async function append(path: string, lines: readonly string[]): Promise<void> {
  const before = await readText(path);
  const added = `${lines.join("\n").trimEnd()}\n`;
  await writeAtomic(path, before.trim() === "" ? added : `${before.trimEnd()}\n\n${added}`);
}

function describe({ adapter, driver, family, peers, command }: Circumstances): string[] {
  const processors = cpus();
  return [
    `- adapter: ${adapter}`,
    `- driver: ${driver || "not told by this system"}`,
    `- kernels: \`${family}\` family`,
    `- processor: ${processors.length} × ${processors[0]?.model.trim() ?? "unknown"}`,
    `- Deno ${Deno.version.deno}`,
    ...peers.map((peer) => `- peer: ${peer}`),
    `- command: \`${command}\``,
  ];
}

/** The measurements as a table: a row per peer; ours stands in the first of them. */
export function measurementTable(measurements: readonly Measurement[], clock: Clock): string[] {
  const own = ownColumns(clock).filter(({ cell }) => measurements.some((each) => cell(each)));
  const peers = peerColumns(clock);
  const rows = measurements.flatMap((measurement) => {
    const first = own.map(({ cell }) => cell(measurement));
    const goals = goalsText(measurement, clock);
    if (measurement.peers.length === 0) {
      return [[...first, "no peer", ...peers.slice(1).map(() => ""), goals]];
    }
    return measurement.peers.map((peer, i) => [
      ...(i === 0 ? first : first.map(() => "")),
      ...peers.map(({ cell }) => cell(measurement.ours, peer)),
      i === 0 ? goals : "",
    ]);
  });
  return markdownTable([...own, ...peers, { header: "goal", align: "right" }], rows);
}

interface OwnColumn extends Column {
  /** Empty where there is nothing to say; a column that is empty throughout is left out. */
  readonly cell: (measurement: Measurement) => string;
}

interface PeerColumn extends Column {
  readonly cell: (ours: Series, peer: Series) => string;
}

function ownColumns(clock: Clock): OwnColumn[] {
  const time = (header: string, of: Clock): OwnColumn => ({
    header,
    align: "right",
    cell: ({ ours }) => milliseconds(medianTime(ours, of)),
  });
  const speed = ({ ours, flops }: Measurement) =>
    (flops / medianTime(ours, clock) / 1e6).toFixed(1);
  return [
    { header: "work", cell: ({ name }) => name },
    ...(clock === "cpuMs" ? [time("CPU ms", "cpuMs")] : []),
    time("wall ms", "wallMs"),
    { header: clock === "cpuMs" ? "GFLOP / CPU s" : "GFLOP / s", align: "right", cell: speed },
    { header: "of peak", align: "right", cell: (measurement) => peakText(measurement, clock) },
    {
      header: "TopK",
      align: "right",
      cell: (each) => each.product ? percent(topKShare(each.ours, each.product, clock)) : "",
    },
  ];
}

function peerColumns(clock: Clock): PeerColumn[] {
  const time = (header: string, of: Clock): PeerColumn => ({
    header,
    align: "right",
    cell: (_, peer) => milliseconds(medianTime(peer, of)),
  });
  const speed = (header: string, of: Clock, show: (ratio: Ratio) => string): PeerColumn => ({
    header,
    align: "right",
    cell: (ours, peer) => show(ratio(ours, peer, of)),
  });
  const name: PeerColumn = { header: "peer", cell: (_, peer) => peer.name };
  const wall = time("peer wall ms", "wallMs");
  if (clock === "wallMs") return [name, wall, speed("speed (range)", "wallMs", range)];
  return [
    name,
    time("peer CPU ms", "cpuMs"),
    wall,
    speed("speed by CPU (range)", "cpuMs", range),
    speed("by wall", "wallMs", ({ median }) => median.toFixed(2)),
  ];
}

function range({ median, least, most }: Ratio): string {
  return `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
}

function peakText({ ours, ceiling }: Measurement, clock: Clock): string {
  if (!ceiling) return "";
  return percent(peakShare(ours, ceiling, clock)) + (ceiling.copy ? " of copy" : "");
}

/** The time the ceiling would take for the same amount, over ours. */
function peakShare(ours: Series, { series, amount }: Bound, clock: Clock): number {
  return amount * ratio(ours, series, clock).median;
}

function topKShare(ours: Series, product: Series, clock: Clock): number {
  return 1 - ratio(ours, product, clock).median;
}

function goalsText(measurement: Measurement, clock: Clock): string {
  return measurement.goals.flatMap((goal) => goalText(goal, measurement, clock)).join("; ");
}

/** Nothing where what the goal is about was not measured. */
function goalText(goal: Goal, measurement: Measurement, clock: Clock): string[] {
  const { ours, peers: [peer], ceiling, product } = measurement;
  const verdict = (met: boolean) => met ? "met" : "missed";
  if (goal.of === "peer" && peer) {
    const met = ratio(ours, peer, clock).median >= goal.least;
    return [`≥ ${goal.least.toFixed(2)} ${verdict(met)}`];
  }
  if (goal.of === "peak" && ceiling) {
    const met = peakShare(ours, ceiling, clock) >= goal.least;
    return [`≥ ${percent(goal.least)} of peak ${verdict(met)}`];
  }
  if (goal.of === "TopK" && product) {
    const met = topKShare(ours, product, clock) <= goal.most;
    return [`TopK ≤ ${percent(goal.most)} ${verdict(met)}`];
  }
  return [];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function milliseconds(value: number): string {
  return value.toPrecision(3).includes("e") ? value.toFixed(0) : value.toPrecision(3);
}
