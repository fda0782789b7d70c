#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net --allow-run
/** babelscope paper: the commands of a whole paper, listed or run, from one TOML file. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../lib/cli/cache.ts";
import { print, remark } from "../lib/cli/output.ts";
import { EXIT, run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { readSteps } from "../lib/cli/steps.ts";
import { table } from "../lib/cli/table.ts";
import { readText } from "../lib/data/files.ts";
import { InputError } from "../lib/formats/input_error.ts";
import { FactFinder, type StepFacts } from "../lib/plan/facts.ts";
import { argumentsOf, parsePlan, type Plan, type PlannedStep } from "../lib/plan/plan.ts";
import { impatientAccess } from "../lib/subject/access.ts";

const LAUNCHER = fileURLToPath(new URL("../babelscope", import.meta.url));

const command = step(
  "paper",
  "Run the commands of a whole paper in order, or list what they need.",
  "babelscope paper --config configs/paper-llama-3.2-1b.toml --dry-run",
  "TOML file of the commands, such as configs/paper-llama-3.2-1b.toml",
)
  .option("--dry-run", "list every step with its inputs, tokens, bytes and memory; run nothing")
  .option("--commands", "list every command as it would be typed; run nothing")
  .option("--out-dir <folder>", "where results go", "results");

type Options = ReturnType<typeof command.opts>;

async function paper(options: Options): Promise<void> {
  if (!options.config) {
    throw new InputError(
      `No commands are named: expected --config with a TOML file, such as configs/paper-llama-3.2-1b.toml.`,
    );
  }
  const plan = parsePlan(await readText(options.config), options.config);
  const there = new Set((await readSteps()).keys());
  if (options.commands) return print(commandLines(plan, options.outDir).join("\n"));
  if (options.dryRun) return await list(plan, there);
  const left = plan.steps.filter(({ run }) => !there.has(run));
  for (const step of plan.steps) if (there.has(step.run)) await runStep(step, options.outDir);
  if (left.length > 0) remark(notThere(left));
}

/** Runs the commands of a step one after the other; each resumes or reuses what is there. */
async function runStep({ name, run, commands }: PlannedStep, outDir: string): Promise<void> {
  for (const [i, options] of commands.entries()) {
    remark(`\n${name}${commands.length > 1 ? ` (${i + 1} of ${commands.length})` : ""}`);
    const args = [run, ...argumentsOf(options), "--out-dir", outDir];
    const { code } = await new Deno.Command(LAUNCHER, { args }).spawn().status;
    if (code === 0) continue;
    remark(
      `babelscope paper: "${name}" ended with exit code ${code}; run the same again to go on.`,
    );
    Deno.exit(code === EXIT.interrupted ? EXIT.interrupted : EXIT.badInput);
  }
}

function commandLines({ steps }: Plan, outDir: string): string[] {
  const quoted = (argument: string) =>
    /^[\w./:=@-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
  return steps.flatMap(({ run, commands }) =>
    commands.map((options) =>
      ["babelscope", run, ...argumentsOf(options), "--out-dir", outDir].map(quoted).join(" ")
    )
  );
}

async function list({ title, steps }: Plan, there: ReadonlySet<string>): Promise<void> {
  const access = impatientAccess();
  const rowsCache = join(cacheFolder(), "rows");
  const finder = new FactFinder(access, { hub: access.hub, rowsCache });
  const facts: StepFacts[] = [];
  for (const step of steps) facts.push(await finder.of(step));
  const header = ["step", "run", "commands", "tokens", "files", "to fetch", "GPU memory", "inputs"];
  print(`${title}\n`);
  print(table(
    header.map((header, i) => ({ header, align: i >= 2 && i <= 5 ? "right" : "left" })),
    steps.map((step, i) => row(step, facts[i], there)),
  ));
  print(
    "\nGPU memory: with weights streamed – with all weights kept. Tokens: special ones included; of each " +
      "command.",
  );
  if (facts.some(({ tokensPublished }) => tokensPublished)) {
    print("*: as published, since the texts cannot be had from here.");
  }
  const left = steps.filter(({ run }) => !there.has(run));
  if (left.length > 0) print(notThere(left));
  for (const reason of new Set(facts.flatMap(({ unknown }) => unknown))) {
    print(`Unknown: ${reason}`);
  }
}

function row(
  { name, run, commands }: PlannedStep,
  { inputs, tokens, tokensPublished, bytes, memory }: StepFacts,
  there: ReadonlySet<string>,
): string[] {
  return [
    name,
    there.has(run) ? run : `${run} †`,
    String(commands.length),
    tokens === undefined ? "–" : tokens.toLocaleString("en") + (tokensPublished ? "*" : ""),
    bytes ? gigabytes(bytes.total) : "–",
    bytes ? gigabytes(bytes.missing) : "–",
    memory ? `${gigabytes(memory.least)} – ${gigabytes(memory.most)}` : "–",
    inputs.join(" "),
  ];
}

function notThere(steps: readonly PlannedStep[]): string {
  const names = [...new Set(steps.map(({ run }) => run))];
  return `† Not in this version of babelscope, and left out: ${names.join(", ")}.`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e9 ? 2 : 1)} GB`;
}

if (import.meta.main) await run(command, paper);
