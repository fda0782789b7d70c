/**
 * The command line of one step: commander in the house style. Every step takes `--config`, both
 * spellings of its options, and answers wrong usage with one sentence.
 */
import { Command } from "@commander-js/extra-typings";
import { CommanderError, type Option } from "commander";
import { InputError } from "../formats/input_error.ts";
import { readConfig } from "./config.ts";
import { print } from "./output.ts";
import { addOpposites, inHouseSpelling, splitOption } from "./spelling.ts";

/**
 * Starts the command of a step; add its options with `.option(...)`.
 *
 * @param name as in `babelscope <name>`
 * @param description one sentence, the first line of the help
 * @param example a full command line that works as it stands, shown in the help
 * @param config what `--config` takes, for a step that gives it a meaning of its own
 */
export function step(name: string, description: string, example: string, config = OPTIONS_FILE) {
  return new Command(name)
    .description(description)
    .option("--config <file>", config)
    .helpOption("--help", "show this help")
    .addHelpText("after", `\nExample:\n  ${example}`)
    .exitOverride()
    // Errors are thrown, and said once by run().
    .configureOutput({ writeOut: (text) => print(text.trimEnd()), writeErr: () => {} });
}

/** What `--config` takes. */
const OPTIONS_FILE = "TOML file of options; those on the command line win over it";

/** A step's command, whatever its options. */
// deno-lint-ignore no-explicit-any -- the type that extra-typings itself gives to any command
export type StepCommand<Options> = Command<any, Options & Record<string, unknown>>;

/**
 * Parses a step's arguments; options that the arguments leave out come from `--config`, then from
 * their defaults.
 *
 * @throws InputError for wrong usage
 * @throws CommanderError with exit code 0 once help was shown
 */
export async function parseOptions<Options>(
  command: StepCommand<Options>,
  args: readonly string[],
): Promise<Options> {
  addOpposites(command);
  const own = inHouseSpelling(args, command.options);
  const takesOptions = command.options.some(({ description }) => description === OPTIONS_FILE);
  const path = takesOptions ? configPath(own) : undefined;
  const given = givenNames(own, command.options);
  const entries = path === undefined ? [] : (await readConfig(path, command.options))
    .filter(({ option }) => !given.has(option.attributeName()));
  const fromConfig = inHouseSpelling(entries.flatMap((entry) => entry.args), command.options);
  try {
    await command.parseAsync([...fromConfig, ...own], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError) || error.exitCode === 0) throw error;
    const names = new Set(entries.map(({ option }) => option.long!));
    throw usageError(command.name(), error, (name) => names.has(name) ? ` (in ${path})` : "");
  }
  return command.opts();
}

function configPath(args: readonly string[]): string | undefined {
  for (const [i, argument] of args.entries()) {
    if (argument === "--") return undefined;
    if (argument === "--config") return args[i + 1];
    if (argument.startsWith("--config=")) return argument.slice("--config=".length);
  }
}

function givenNames(args: readonly string[], options: readonly Option[]): Set<string> {
  const names = new Set(args.map((argument) => splitOption(argument).name));
  return new Set(
    options.filter(({ long }) => names.has(long!)).map((option) => option.attributeName()),
  );
}

/** Commander's words for wrong usage, made one sentence that names the option. */
function usageError(
  step: string,
  error: CommanderError,
  origin: (name: string) => string,
): InputError {
  const text = error.message.replace(/^error: /, "").replace(". Expected", ": expected");
  const [, name, detail] =
    /^option '(--[^\s']+).*?' argument '.*' is invalid\. (.*)$/s.exec(text) ??
      [];
  if (name !== undefined) return new InputError(`${name}${origin(name)}: ${detail}`);
  const [, problem, meant] = /^(.*?)(?:\n\(Did you mean (.*)\?\))?$/s.exec(text)!;
  const advice = meant === undefined
    ? `see "babelscope ${step} --help".`
    : `did you mean ${meant}?`;
  return new InputError(`${problem.replace(/\.$/, "")}; ${advice}`);
}
