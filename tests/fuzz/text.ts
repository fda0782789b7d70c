/** Changes to text files: lines, marks and runs that are longer than anyone expects. */
import { type Bytes, MAX_INPUT_BYTES, mutateBytes, utf8 } from "./bytes.ts";
import type { Random } from "./random.ts";

/** A copy of a text with some of its lines changed, moved, repeated or indented. */
export function mutateText(seed: Bytes, random: Random, seeds: readonly Bytes[]): Bytes {
  if (random.chance(15)) return mutateBytes(seed, random, seeds);
  const lines = new TextDecoder().decode(seed).split("\n");
  for (let i = random.few(); i > 0; i--) changeLines(lines, random);
  const end = random.chance(10) ? "\r\n" : "\n";
  return utf8(lines.join(end)).slice(0, MAX_INPUT_BYTES);
}

function changeLines(lines: string[], random: Random): void {
  const at = random.below(lines.length);
  const line = lines[at] ?? "";
  const place = random.below(line.length + 1);
  const [before, after] = [line.slice(0, place), line.slice(place)];
  random.pick([
    () => lines.splice(at, 1),
    () => lines.splice(at, 0, random.pick(lines)),
    () => [lines[at], lines[0]] = [lines[0], line],
    () => lines[at] = before,
    () => lines[at] = " ".repeat(random.few()) + line,
    () => lines[at] = line.trimStart(),
    () => lines[at] = before + random.pick(MARKS) + after,
    () => lines[at] = before + random.pick(MARKS) + after,
    () => lines[at] = before + random.pick(MARKS),
    () => lines[at] = before + random.pick(MARKS).repeat(random.pick([3, 50, 60_000])) + after,
    () => lines.splice(at, 0, ...new Array(random.pick([3, 600])).fill(line)),
    () => lines.splice(at, 0, ...stairs(line, random.pick([5, 700]))),
  ])();
}

/** A line again and again, each time further in. */
function stairs(line: string, steps: number): string[] {
  return Array.from({ length: steps }, (_, step) => " ".repeat(step) + line);
}

const MARKS = [
  " ",
  "\t",
  ":",
  "- ",
  "---",
  "#",
  '"',
  "'",
  "[",
  "]",
  "{",
  "}",
  ",",
  "\\",
  "*",
  "*a",
  "?(a|*)",
  "**/",
  "\0",
  "\r",
  "\u2028",
  "\ufeff",
  "\ud7ff",
  "\u001b[2J",
  "9",
  "__proto__",
  " #",
  ": ",
];
