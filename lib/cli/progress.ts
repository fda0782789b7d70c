/** Progress of a long step on stderr: a bar on a terminal, now and then a line elsewhere. */
// @ts-types="@types/cli-progress"
import { SingleBar } from "cli-progress";
import process from "node:process";
import { remark } from "./output.ts";

/** What is being counted. */
export interface ProgressOptions {
  /** What the step is doing, e.g. `counting de`. */
  readonly label: string;
  /** Units of work in all. */
  readonly total: number;
  /** Name of the unit in the plural, e.g. `tokens`. */
  readonly unit: string;
}

/** A task under way. */
export interface Progress {
  /** Tells how much is done so far (not since the last call), with a remark on where it is. */
  update(done: number, note?: string): void;
  /** Ends the display; has to be called once, also when the work stopped early. */
  done(): void;
}

/** Shows the progress of a task from now on. */
export function progress(options: ProgressOptions): Progress {
  return Deno.stderr.isTerminal() ? bar(options) : lines(options, remark, Date.now);
}

function bar({ label, total, unit }: ProgressOptions): Progress {
  const started = Date.now();
  const display = new SingleBar({
    format: `${label} [{bar}] {pace}{note}`,
    stream: process.stderr,
    barsize: 24,
    // Both would outlive a step that is killed.
    hideCursor: false,
    linewrap: true,
    // SIGINT is run()'s.
    gracefulExit: false,
  });
  const payload = (done: number, note: string) => ({
    pace: pace({ done, total, unit, seconds: (Date.now() - started) / 1000 }),
    note: note && `, ${note}`,
  });
  display.start(total, 0, payload(0, ""));
  return {
    update: (done, note = "") => display.update(done, payload(done, note)),
    done: () => display.stop(),
  };
}

const SECONDS_BETWEEN_LINES = 5;

/**
 * Progress as plain lines, at most one every few seconds, and the last one.
 *
 * @param write takes a line
 * @param now milliseconds of a clock
 */
export function lines(
  { label, total, unit }: ProgressOptions,
  write: (line: string) => void,
  now: () => number,
): Progress {
  const started = now();
  let [shown, line] = [started, ""];
  const flush = () => {
    if (line !== "") write(line);
    [shown, line] = [now(), ""];
  };
  return {
    update(done, note = "") {
      const seconds = (now() - started) / 1000;
      line = `${label}: ${pace({ done, total, unit, seconds })}${note && `, ${note}`}`;
      if (now() - shown >= SECONDS_BETWEEN_LINES * 1000) flush();
    },
    done: flush,
  };
}

/**
 * `1,200 of 4,800 tokens (25 %), 600 tokens/s, 6 s left`; rate and rest once they are known. Slow work is
 * measured by the minute or the hour.
 */
export function pace(
  { done, total, unit, seconds }: { done: number; total: number; unit: string; seconds: number },
): string {
  const percent = total > 0 ? Math.floor(100 * done / total) : 100;
  const parts = [`${count(done)} of ${count(total)} ${unit} (${percent} %)`];
  if (done > 0 && seconds >= 1) {
    const rate = done / seconds;
    const [factor, time] = PACES.find(([factor]) => rate * factor >= 1) ?? PACES[2];
    parts.push(`${count(rate * factor)} ${unit}/${time}`);
    parts.push(done < total ? `${duration((total - done) / rate)} left` : duration(seconds));
  }
  return parts.join(", ");
}

/** Seconds of the times that rates are told in. */
const PACES = [[1, "s"], [60, "min"], [3600, "h"]] as const;

/** `8 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
}

function count(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 });
}
