/** Parsers of option values: strict, and precise about what was expected. */
import { InvalidArgumentError } from "commander";
import { orNearest } from "./nearest.ts";

/** Turns the text of one option value into the value; throws commander's InvalidArgumentError. */
export type ValueParser<T> = (text: string) => T;

/** Bounds of a number, both included. */
export interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** A whole number within `range`, written in decimal digits. */
export function integer(range: Range = {}): ValueParser<number> {
  return (text) => {
    const value = Number(text);
    const whole = /^[+-]?\d+$/.test(text) && Number.isSafeInteger(value);
    if (!whole || !within(range, value)) throw unexpected(`a whole number${bounds(range)}`, text);
    return value;
  };
}

/** A number within `range`; `inf` and `-inf` only where `infinite` is set. */
export function number(range: Range & { readonly infinite?: boolean } = {}): ValueParser<number> {
  return (text) => {
    const value = range.infinite && INFINITE.test(text)
      ? (text.startsWith("-") ? -Infinity : Infinity)
      : DECIMAL.test(text)
      ? Number(text)
      : NaN;
    if (!within(range, value)) {
      throw unexpected(`a number${bounds(range)}${range.infinite ? " or inf" : ""}`, text);
    }
    return value;
  };
}

const INFINITE = /^[+-]?inf(inity)?$/i;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** An amount of memory in bytes: `2GiB`, `512MB` (powers of 1000), `1.5 GiB`, or plain bytes. */
export function size(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([kKMGT]?i?B)?$/.exec(text) ?? [];
  const factor = BYTES_OF_UNIT.get((unit ?? "B").toLowerCase());
  if (amount === undefined || factor === undefined) {
    throw unexpected('a size such as "2GiB" or "512MB"', text);
  }
  return Math.floor(Number(amount) * factor);
}

const BYTES_OF_UNIT = new Map([
  ["b", 1],
  ["kb", 1e3],
  ["mb", 1e6],
  ["gb", 1e9],
  ["tb", 1e12],
  ["kib", 2 ** 10],
  ["mib", 2 ** 20],
  ["gib", 2 ** 30],
  ["tib", 2 ** 40],
]);

/** One of `choices`, exactly as they are written. */
export function oneOf<const T extends string>(...choices: readonly T[]): ValueParser<T> {
  return (text) => {
    const choice = choices.find((name) => name === text);
    if (choice !== undefined) return choice;
    throw new InvalidArgumentError(
      `expected ${choices.join(", ")}, got "${text}"${orNearest(text, choices)}`,
    );
  };
}

/**
 * For options that take several values (`--k <n...>`): parses each. Values given replace the
 * option's default, they are not added to it.
 */
export function each<T>(parse: ValueParser<T>): (text: string, previous?: readonly T[]) => T[] {
  const given = new WeakSet<readonly T[]>();
  return (text, previous) => {
    const values = previous && given.has(previous) ? [...previous, parse(text)] : [parse(text)];
    given.add(values);
    return values;
  };
}

function within({ min = -Infinity, max = Infinity }: Range, value: number): boolean {
  return value >= min && value <= max;
}

function bounds({ min, max }: Range): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? "" : ` of at most ${max}`;
}

function unexpected(expected: string, text: string): InvalidArgumentError {
  return new InvalidArgumentError(`expected ${expected}, got "${text}".`);
}
