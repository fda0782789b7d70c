#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net --allow-run
/** babelscope paper: the commands of a whole paper, listed or run, from one TOML file. */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../lib/cli/cache.ts";
import { print, remark } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { readSteps } from "../lib/cli/steps.ts";
import { table } from "../lib/cli/table.ts";
import { readText } from "../lib/data/files.ts";
import { FactFinder, type StepFacts } from "../lib/plan/facts.ts";
import { parsePlan, type Plan, type PlannedStep } from "../lib/plan/plan.ts";
import { commandsOf, runCommands } from "../lib/plan/run_plan.ts";
import { impatientAccess } from "../lib/subject/access.ts";

const LAUNCHER = fileURLToPath(new URL("../babelscope", import.meta.url));
const EMBEDDED_PLAN = fileURLToPath(new URL("../configs/embedded.toml", import.meta.url));

const command = step(
  "paper",
  "Run all steps of the paper in order, or list what they need.",
  "babelscope paper --config configs/paper-llama-3.2-1b.toml --dry-run",
  "TOML file of the commands, such as configs/paper-llama-3.2-1b.toml (default: all steps on the " +
    "embedded model)",
)
  .option("--dry-run", "list every step with its inputs, tokens, bytes and memory; run nothing")
  .option("--commands", "list every command as it would be typed; run nothing")
  .option("--out-dir <folder>", "where results go", "results/paper");

type Options = ReturnType<typeof command.opts>;

async function paper(options: Options): Promise<void> {
  const config = options.config ?? EMBEDDED_PLAN;
  const plan = parsePlan(await readText(config), config);
  const there = new Set((await readSteps()).keys());
  if (options.commands) return print(commandLines(plan, options.outDir).join("\n"));
  if (options.dryRun) return await list(plan, there);
  const left = plan.steps.filter(({ run }) => !there.has(run));
  const commands = commandsOf(whatIsThere(plan, there), options.outDir);
  const code = await runCommands(LAUNCHER, commands, resolve(options.outDir));
  if (code !== 0) Deno.exit(code);
  if (left.length > 0) remark(notThere(left));
}

function whatIsThere(plan: Plan, there: ReadonlySet<string>): Plan {
  return { ...plan, steps: plan.steps.filter(({ run }) => there.has(run)) };
}

function commandLines(plan: Plan, outDir: string): string[] {
  const quoted = (argument: string) =>
    /^[\w./:=@-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
  return commandsOf(plan, outDir).map(({ args }) => ["babelscope", ...args].map(quoted).join(" "));
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
