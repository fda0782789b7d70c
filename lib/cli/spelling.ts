/** Both spellings of the originals' options: `--out-dir` and `--out_dir`, `--flag` and `--flag True`. */
import { Option } from "commander";
import { InputError } from "../formats/input_error.ts";

/** True for an option that takes no value: `--flag` or `--no-flag`. */
export function isFlag(option: Option): boolean {
  return option.negate || option.isBoolean();
}

/** The part of a command that matters here, with or without inferred types. */
interface OptionHolder {
  readonly options: readonly Option[];
  addOption(option: Option): unknown;
}

/**
 * Gives every `--flag` a hidden `--no-flag` and the other way round, so that each can be set to True
 * and to False whichever of the two a step declares.
 */
export function addOpposites(command: OptionHolder): void {
  for (const option of command.options.filter(isFlag)) {
    const opposite = oppositeOf(option.long!);
    if (command.options.some(({ long }) => long === opposite)) continue;
    // Commander's rule that a lone --no-flag means "true unless given" ends with the opposite.
    command.addOption(new Option(opposite).hideHelp().default(option.negate ? true : undefined));
  }
}

/**
 * Rewrites arguments into commander's spelling: `--out_dir=x` to `--out-dir=x`, `--flag True` to
 * `--flag`, `--flag=False` to `--no-flag`. Nothing after `--` is touched.
 *
 * @param options of a command that has been through {@link addOpposites}
 * @throws InputError when a flag is set to something other than True or False
 */
export function inHouseSpelling(args: readonly string[], options: readonly Option[]): string[] {
  const flags = new Set(options.filter(isFlag).map(({ long }) => long));
  const rewritten: string[] = [];
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "--") return [...rewritten, ...args.slice(i)];
    const { name, value } = splitOption(args[i]);
    if (!flags.has(name)) {
      rewritten.push(value === undefined ? name : `${name}=${value}`);
    } else if (value !== undefined) {
      rewritten.push(flagFor(name!, value));
    } else if (/^(true|false)$/i.test(args[i + 1] ?? "")) {
      rewritten.push(flagFor(name, args[++i]));
    } else {
      rewritten.push(name);
    }
  }
  return rewritten;
}

/** The name with dashes and the value of `--some_name=value`; other arguments are all name. */
export function splitOption(argument: string): { name: string; value?: string } {
  const [, name, value] = /^(--[^=]+)(?:=(.*))?$/s.exec(argument) ?? [];
  return name === undefined ? { name: argument } : { name: name.replaceAll("_", "-"), value };
}

function flagFor(name: string, value: string): string {
  if (/^true$/i.test(value)) return name;
  if (/^false$/i.test(value)) return oppositeOf(name);
  throw new InputError(`${name}: expected True or False, got "${value}".`);
}

function oppositeOf(name: string): string {
  return name.startsWith("--no-") ? name.replace("--no-", "--") : name.replace("--", "--no-");
}
