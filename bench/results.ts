/** Measurements as a table, and the file that collects them. */
import { cpus } from "node:os";
import { readText, writeAtomic } from "../lib/data/files.ts";
import { displayWidth, table } from "../lib/cli/table.ts";
import { median, ratio, type Series, type Timing } from "./measure.ts";

/** One workload and whoever else did the same work. */
export interface Measurement {
  readonly name: string;
  /** Multiplications and additions of one execution. */
  readonly flops: number;
  readonly ours: Series;
  readonly peers: readonly Series[];
  /** Least ratio to the first peer by CPU time, where one is set for this adapter. */
  readonly goal?: number;
}

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

const HEADER = [
  "work",
  "CPU ms",
  "wall ms",
  "GFLOP / CPU s",
  "peer",
  "peer CPU ms",
  "peer wall ms",
  "speed by CPU (range)",
  "by wall",
  "goal",
];

/** The measurements for a terminal. */
export function resultsTable(measurements: readonly Measurement[]): string {
  return table(
    HEADER.map((header) => ({ header, align: isText(header) ? "left" : "right" })),
    measurements.flatMap(rows),
  );
}

/**
 * Adds the measurements, under the date and what they hold for, to a Markdown file.
 *
 * @throws InputError when the file cannot be read or written
 */
export async function appendResults(
  path: string,
  circumstances: Circumstances,
  measurements: readonly Measurement[],
): Promise<void> {
  const table = markdownTable(measurements.flatMap(rows));
  await appendSection(path, [...describe(circumstances), "", ...table]);
}

/**
 * Adds lines, under the date, to a Markdown file.
 *
 * @throws InputError when the file cannot be read or written
 */
export async function appendSection(path: string, lines: readonly string[]): Promise<void> {
  const before = await readText(path);
  const now = new Date().toISOString().slice(0, 16).replace("T", " ");
  const section = [`## ${now} UTC`, "", ...lines];
  await writeAtomic(path, `${before.trimEnd()}\n\n${section.join("\n")}\n`);
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

/** Laid out as `deno fmt` wants it. */
function markdownTable(rows: readonly (readonly string[])[]): string[] {
  const widths = HEADER.map((header, i) =>
    Math.max(3, ...[header, ...rows.map((row) => row[i])].map(displayWidth))
  );
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const padded = (row: readonly string[]) =>
    line(row.map((cell, i) => pad(cell, widths[i], isText(HEADER[i]))));
  const rule = widths.map((width, i) =>
    isText(HEADER[i]) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [padded(HEADER), line(rule), ...rows.map(padded)];
}

function pad(cell: string, width: number, left: boolean): string {
  const space = " ".repeat(width - displayWidth(cell));
  return left ? cell + space : space + cell;
}

function isText(header: string): boolean {
  return header === "work" || header === "peer";
}

/** A row per peer; ours stands in the first of them. */
function rows(measurement: Measurement): string[][] {
  const { name, ours, flops, peers, goal } = measurement;
  const cpuMs = medianOf(ours, "cpuMs");
  const own = [
    name,
    milliseconds(cpuMs),
    milliseconds(medianOf(ours, "wallMs")),
    (flops / cpuMs / 1e6).toFixed(1),
  ];
  if (peers.length === 0) return [[...own, "no peer", ...Array(5).fill("")]];
  return peers.map((peer, i) => {
    const { median, least, most } = ratio(ours, peer, "cpuMs");
    return [
      ...(i === 0 ? own : own.map(() => "")),
      peer.name,
      milliseconds(medianOf(peer, "cpuMs")),
      milliseconds(medianOf(peer, "wallMs")),
      `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`,
      ratio(ours, peer, "wallMs").median.toFixed(2),
      i > 0 || goal === undefined
        ? ""
        : `≥ ${goal.toFixed(2)} ${median >= goal ? "met" : "missed"}`,
    ];
  });
}

function medianOf(series: Series, clock: keyof Timing): number {
  return median(series.rounds.map((round) => round[clock]));
}

function milliseconds(value: number): string {
  return value.toPrecision(3).includes("e") ? value.toFixed(0) : value.toPrecision(3);
}
