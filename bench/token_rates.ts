/** Tokens per second of ours and of peers, as a table. */
import type { Column } from "../lib/cli/table.ts";
import { markdownTable } from "./markdown_table.ts";
import { type Clock, medianTime, ratio, type Series } from "./measure.ts";

/** Work on tokens, and who did it. */
export interface TokenWork {
  readonly name: string;
  /** Of one execution. */
  readonly tokens: number;
  readonly ours: Series;
  readonly peers: readonly Series[];
  /** Least speed, as a ratio to the first peer by the clock that judges. */
  readonly goal?: number;
}

const TEXT = ["work", "peer"];
const HEADERS = [
  "work",
  "tokens / CPU s",
  "tokens / s",
  "peer",
  "peer tokens / CPU s",
  "peer tokens / s",
  "speed by CPU (range)",
  "by wall (range)",
  "goal",
];
const COLUMNS: readonly Column[] = HEADERS.map((header) => ({
  header,
  align: TEXT.includes(header) ? "left" : "right",
}));

/** A row per peer; ours stands in the first of them. */
export function tokenRatesTable(works: readonly TokenWork[], clock: Clock): string[] {
  return markdownTable(
    COLUMNS,
    works.flatMap((work) => {
      const own = [work.name, rate(work, work.ours, "cpuMs"), rate(work, work.ours, "wallMs")];
      if (work.peers.length === 0) return [[...own, "no peer", "", "", "", "", ""]];
      return work.peers.map((peer, i) => [
        ...(i === 0 ? own : own.map(() => "")),
        peer.name,
        rate(work, peer, "cpuMs"),
        rate(work, peer, "wallMs"),
        range(work.ours, peer, "cpuMs"),
        range(work.ours, peer, "wallMs"),
        i === 0 ? goalText(work, peer, clock) : "",
      ]);
    }),
  );
}

/**
 * What remains of some work when a part of it is taken off, round by round.
 *
 * @param whole times of the work
 * @param part times of the part alone, in the same rounds
 */
export function remainder(whole: Series, part: Series): Series {
  const rounds = whole.rounds.map(({ cpuMs, wallMs }, i) => ({
    cpuMs: cpuMs - part.rounds[i].cpuMs,
    wallMs: wallMs - part.rounds[i].wallMs,
  }));
  return { name: whole.name, rounds };
}

function rate({ tokens }: TokenWork, series: Series, clock: Clock): string {
  const perSecond = 1000 * tokens / medianTime(series, clock);
  return perSecond < 100 ? perSecond.toPrecision(3) : Math.round(perSecond).toLocaleString("en");
}

function range(ours: Series, peer: Series, clock: Clock): string {
  const { median, least, most } = ratio(ours, peer, clock);
  return `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
}

function goalText({ goal, ours }: TokenWork, peer: Series, clock: Clock): string {
  if (goal === undefined) return "";
  const met = ratio(ours, peer, clock).median >= goal;
  return `≥ ${goal.toFixed(2)} ${met ? "met" : "missed"}`;
}
