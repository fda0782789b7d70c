/** Running a plan: its commands one after the other, each a process of its own. */
import { join } from "node:path";
import { remark } from "../cli/output.ts";
import { duration } from "../cli/progress.ts";
import { EXIT } from "../cli/run.ts";
import { Checkpoint } from "../data/checkpoint.ts";
import { claimFolder } from "../data/folder_claim.ts";
import { codeHash } from "../data/manifest.ts";
import { argumentsOf, type Plan } from "./plan.ts";

/** A command of a plan. */
interface Command {
  /** What it is for, and which of its step's commands it is. */
  readonly title: string;
  readonly args: readonly string[];
}

/** What is kept of a command that came to its end. */
interface Finished {
  readonly seconds: number;
}

/** All commands of a plan as they would be typed after `babelscope`. */
export function commandsOf({ steps }: Plan, outDir: string): Command[] {
  return steps.flatMap(({ name, run, commands }) =>
    commands.map((options, i) => ({
      title: commands.length > 1 ? `${name} (${i + 1} of ${commands.length})` : name,
      args: [run, ...argumentsOf(options), "--out-dir", outDir],
    }))
  );
}

/**
 * Runs commands in order. A run that was stopped goes on with the command it was at, which resumes by
 * itself; after the last one everything is forgotten, so that the next run does it all again.
 *
 * @param launcher path of `babelscope`
 * @param outDir of all commands; one run of a plan at a time
 * @returns the exit code: that of the first command that failed, else 0
 */
export async function runCommands(
  launcher: string,
  commands: readonly Command[],
  outDir: string,
): Promise<number> {
  const folder = join(outDir, ".paper");
  using _claim = await claimFolder(folder);
  const identity = {
    commands: commands.map(({ args }) => args),
    code: await codeHash(["kernels", "lib", "scripts"]),
  };
  using finished = await Checkpoint.open<Finished>(join(folder, "finished.jsonl"), identity);
  for (const [i, { title, args }] of commands.entries()) {
    const key = String(i);
    const before = finished.get(key);
    remark(`\n[${i + 1}/${commands.length}] ${title}${before ? ": was there" : ""}`);
    if (before) continue;
    const started = Date.now();
    const { code } = await new Deno.Command(launcher, { args: [...args] }).spawn().status;
    if (code !== 0) {
      remark(
        `babelscope paper: "${title}" ended with exit code ${code}; run the same again to go on.`,
      );
      return code === EXIT.interrupted ? EXIT.interrupted : EXIT.badInput;
    }
    await finished.put(key, { seconds: (Date.now() - started) / 1000 });
  }
  const seconds = commands.reduce((sum, _, i) => sum + (finished.get(String(i))?.seconds ?? 0), 0);
  remark(`\n${commands.length} commands in ${duration(seconds)}.`);
  await finished.remove();
  return 0;
}
