/** `--config run.toml`: a step's options in a file, under the names they have on the command line. */
import type { Option } from "commander";
import { parse as parseToml, TomlError } from "smol-toml";
import { InputError } from "../formats/input_error.ts";
import { orNearest } from "./nearest.ts";
import { isFlag } from "./spelling.ts";

/** One option that the file sets. */
export interface ConfigEntry {
  readonly option: Option;
  /** The setting as command line arguments. */
  readonly args: readonly string[];
}

/**
 * Reads a TOML file of options. Keys may be written with dashes or underscores; arrays are for
 * options that take several values. Values are not checked here but like any argument later.
 *
 * @param path the file; relative paths inside it are relative to the current folder, as in options
 * @param options what the step understands
 * @throws InputError when the file cannot be read, is not TOML, or names an unknown option
 */
export async function readConfig(path: string, options: readonly Option[]): Promise<ConfigEntry[]> {
  const table = toTable(path, await readText(path));
  return Object.entries(table).map(([key, value]) => {
    const option = findOption(path, key, options);
    return { option, args: toArguments(`${path}: ${key}`, option, value) };
  });
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const reason = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : (error as Error).message;
    throw new InputError(`--config ${path}: ${reason}; expected a TOML file of options.`);
  }
}

/**
 * The table in a TOML file.
 *
 * @param path names the file in messages
 * @throws InputError with line and column when the text is not TOML
 */
export function toTable(path: string, text: string): Record<string, unknown> {
  try {
    return parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split("\n")[0].replace("Invalid TOML document: ", "");
    throw new InputError(
      `${path}, line ${error.line}, column ${error.column}: not TOML (${reason}).`,
    );
  }
}

function findOption(path: string, key: string, options: readonly Option[]): Option {
  const name = key.replaceAll("_", "-");
  const option = options.find(({ long }) => long === `--${name}`);
  if (option !== undefined && name !== "config") return option;
  const known = options.filter(({ hidden, long }) => !hidden && long !== "--config")
    .map(({ long }) => long!.slice(2));
  throw new InputError(`${path}: unknown option "${key}"${orNearest(name, known)}`);
}

function toArguments(where: string, option: Option, value: unknown): string[] {
  const name = option.long!;
  if (isFlag(option)) {
    if (typeof value !== "boolean") throw new InputError(`${where}: expected true or false.`);
    return [`${name}=${value}`];
  }
  if (Array.isArray(value) && !option.variadic) {
    throw new InputError(`${where}: expected one value, got an array of ${value.length}.`);
  }
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.map((item) => `${name}=${scalar(where, item)}`);
}

function scalar(where: string, value: unknown): string {
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new InputError(`${where}: expected text or a number, got ${kindOf(value)}.`);
}

function kindOf(value: unknown): string {
  if (typeof value === "boolean") return String(value);
  if (value instanceof Date) return "a date";
  return Array.isArray(value) ? "an array within an array" : "a table";
}
