/** Plans: the commands of a whole piece of research in one TOML file (configs/). */
import { z } from "zod";
import { toTable } from "../cli/config.ts";
import { InputError } from "../formats/input_error.ts";

/** Options of a command by name, each with its values; a flag has none. */
export type PlannedOptions = ReadonlyMap<string, readonly string[]>;

/** A `[[step]]`: one command, or one for every combination of its `each`. */
export interface PlannedStep {
  /** What it is for, in words. */
  readonly name: string;
  /** The step of babelscope. */
  readonly run: string;
  /** Tokens of its texts as published, where they are. */
  readonly tokens?: number;
  /** At least one. */
  readonly commands: readonly PlannedOptions[];
}

/** A plan, in the order it is run. */
export interface Plan {
  readonly title: string;
  readonly steps: readonly PlannedStep[];
}

const Scalar = z.union([z.string(), z.number(), z.boolean()]);
const Value = z.union([Scalar, z.array(z.union([z.string(), z.number()]))]);
type Value = z.infer<typeof Value>;

const PlanFile = z.strictObject({
  title: z.string(),
  variables: z.record(z.string(), Value).default({}),
  step: z.array(z.strictObject({
    name: z.string(),
    run: z.string(),
    tokens: z.int().positive().optional(),
    each: z.record(z.string(), z.union([z.string(), z.array(z.union([z.string(), z.number()]))]))
      .default({}),
    options: z.record(z.string(), Value).default({}),
  })).min(1),
});

/** More combinations than any piece of research has: a slip of the pen. */
const MOST_COMMANDS = 10_000;

/**
 * Reads a plan.
 *
 * @param text TOML: `title`, `[variables]` and `[[step]]`s with `name`, `run`, `tokens`,
 *   `[step.each]` and `[step.options]`; `${x}` in a text stands for a variable or the value of this
 *   combination, and a text that is nothing but `${x}` may stand for a list
 * @param where names the file in messages
 * @throws InputError when it is not such a file, or names a variable that there is not
 */
export function parsePlan(text: string, where: string): Plan {
  const parsed = PlanFile.safeParse(toTable(where, text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(`${where}: ${issue.path.join(".") || "the file"}: ${issue.message}.`);
  }
  const { title, variables, step } = parsed.data;
  const scope = new Map<string, Value>();
  for (const [name, value] of Object.entries(variables)) {
    scope.set(name, substituted(value, scope, where));
  }
  const steps = step.map(({ name, run, tokens, each, options }) => {
    const commands = combinations(each, scope, where).map((values) =>
      optionsOf(options, new Map([...scope, ...values]), where)
    );
    return { name, run, tokens, commands };
  });
  return { title, steps };
}

/** The options as command line arguments; lists follow their option, as a person would write them. */
export function argumentsOf(options: PlannedOptions): string[] {
  return [...options].flatMap(([name, values]) =>
    // A value that looks like an option is bound to its own.
    values.some((value) => value.startsWith("-"))
      ? values.map((value) => `--${name}=${value}`)
      : [`--${name}`, ...values]
  );
}

/** Every combination of the values of `each`, the last name changing fastest. */
function combinations(
  each: Readonly<Record<string, Value>>,
  scope: ReadonlyMap<string, Value>,
  where: string,
): Map<string, Value>[] {
  let all = [new Map<string, Value>()];
  for (const [name, given] of Object.entries(each)) {
    const values = [substituted(given, scope, where)].flat();
    if (all.length * values.length > MOST_COMMANDS) {
      throw new InputError(`${where}: a step.each makes more than ${MOST_COMMANDS} commands.`);
    }
    all = all.flatMap((before) => values.map((value) => new Map([...before, [name, value]])));
  }
  return all;
}

function optionsOf(
  options: Readonly<Record<string, Value>>,
  scope: ReadonlyMap<string, Value>,
  where: string,
): PlannedOptions {
  const planned = new Map<string, string[]>();
  for (const [key, given] of Object.entries(options)) {
    const value = substituted(given, scope, where);
    const name = key.replaceAll("_", "-");
    if (value === true) planned.set(name, []);
    else if (value !== false) planned.set(name, [value].flat().map(String));
  }
  return planned;
}

function substituted(value: Value, scope: ReadonlyMap<string, Value>, where: string): Value {
  if (Array.isArray(value)) {
    return value.map((item) => typeof item === "string" ? inserted(item, scope, where) : item);
  }
  if (typeof value !== "string") return value;
  const [, name] = /^\$\{([\w-]+)\}$/.exec(value) ?? [];
  return name === undefined ? inserted(value, scope, where) : valueOf(name, scope, where);
}

function inserted(text: string, scope: ReadonlyMap<string, Value>, where: string): string {
  return text.replace(/\$\{([\w-]+)\}/g, (_, name) => {
    const value = valueOf(name, scope, where);
    if (!Array.isArray(value)) return String(value);
    throw new InputError(`${where}: \${${name}} is a list, which cannot stand within a text.`);
  });
}

function valueOf(name: string, scope: ReadonlyMap<string, Value>, where: string): Value {
  const value = scope.get(name);
  if (value !== undefined) return value;
  throw new InputError(
    `${where}: there is no variable "${name}", expected one of ${
      [...scope.keys()].join(", ") || "none"
    }.`,
  );
}
