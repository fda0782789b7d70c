/** Runs a step to its end, whichever end that is: exit codes and last words. */
import { CommanderError } from "commander";
import { remark } from "./output.ts";
import { parseOptions, type StepCommand } from "./step.ts";

/** Exit codes of every step. */
export const EXIT = { defect: 1, badInput: 2, interrupted: 130, brokenPipe: 141 } as const;

/** Ends a step that was interrupted and has put its work away; the message says how to go on. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** Told of Ctrl-C in the place of {@linkcode interrupted}. */
let stopping: (() => void) | undefined;

/**
 * Lets a step come to an end of its own at Ctrl-C, until disposed of: it should throw
 * {@linkcode Interrupted} soon. Another Ctrl-C ends it at once.
 */
export function onInterrupt(stop: () => void): Disposable {
  stopping = stop;
  return { [Symbol.dispose]: () => stopping = undefined };
}

/**
 * Parses the process's arguments and runs `main` with the options. Bad input ends in one sentence
 * on stderr and exit code 2; anything else that is thrown is a defect: its stack and exit code 1.
 */
export async function run<Options>(
  command: StepCommand<Options>,
  main: (options: Options) => Promise<void> | void,
): Promise<void> {
  const end = (error: unknown) => Deno.exit(lastWords(command.name(), error));
  Deno.addSignalListener("SIGINT", interrupted);
  // A GPU error arrives outside the call that caused it.
  addEventListener("unhandledrejection", (event) => end(event.reason));
  addEventListener("error", (event) => end(event.error));
  try {
    await main(await parseOptions(command, Deno.args));
  } catch (error) {
    end(error);
  }
}

function interrupted(): void {
  if (stopping) {
    const stop = stopping;
    stopping = undefined;
    return stop();
  }
  if (Deno.stderr.isTerminal()) remark(""); // Leave the line of the progress bar.
  remark("Interrupted; run the same command again to resume.");
  Deno.exit(EXIT.interrupted);
}

/** Says on stderr why the step ends, where that needs saying, and returns the exit code. */
function lastWords(step: string, error: unknown): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  if (error instanceof Interrupted) {
    remark(error.message);
    return EXIT.interrupted;
  }
  if (error instanceof Deno.errors.BrokenPipe) return EXIT.brokenPipe;
  if (error instanceof Deno.errors.NotCapable) {
    const needed = error.message.replace(/, run again with the (--\S+) flag$/, "; add $1");
    remark(`babelscope ${step}: ${needed}, or run "babelscope ${step}", which has it.`);
    return EXIT.badInput;
  }
  if (error instanceof Error && ["InputError", "GpuError"].includes(error.name)) {
    remark(`babelscope ${step}: ${error.message}`);
    return EXIT.badInput;
  }
  remark(error instanceof Error ? error.stack ?? String(error) : String(error));
  remark(`babelscope ${step}: this is a defect of babelscope; please report the lines above.`);
  return EXIT.defect;
}
