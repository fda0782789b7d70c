/** Runs a whole program and measures it from outside, whatever it is written in. */
import { fileURLToPath } from "node:url";
import { NO_LAVAPIPE_SETTINGS } from "../lib/cli/lavapipe.ts";
import { InputError } from "../lib/formats/input_error.ts";
import type { Timing } from "./measure.ts";
import { NoPeer } from "./peer.ts";

/** What a program took from its start to its end. */
export interface Usage extends Timing {
  /** Most memory resident at a time; on software Vulkan the GPU's is in it. */
  readonly residentBytes: number;
  /** Most that its output folder held at a time. */
  readonly diskBytes: number;
}

/** A program to run and measure. */
export interface Program {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const WATCHED = fileURLToPath(new URL("watched.py", import.meta.url));

/**
 * Runs a program to its end.
 *
 * @param python runs `watched.py`; it needs no packages
 * @param folder where the program writes
 * @throws NoPeer where there is no such Python; InputError with the program's last words where it fails
 */
export async function watched(python: string, program: Program, folder: string): Promise<Usage> {
  const { name, command, env } = program;
  const { success, stdout, stderr } = await output(python, [WATCHED, folder, ...command], env);
  const decoder = new TextDecoder();
  if (!success) {
    throw new NoPeer(`${python} cannot measure ${name}: ${last(decoder.decode(stderr))}`);
  }
  const { code, cpu_ms, wall_ms, resident_bytes, disk_bytes, said } = JSON.parse(
    decoder.decode(stdout),
  );
  if (code !== 0) throw new InputError(`${name} ended with exit code ${code}: ${last(said)}`);
  return {
    cpuMs: cpu_ms,
    wallMs: wall_ms,
    residentBytes: resident_bytes,
    diskBytes: disk_bytes,
  };
}

async function output(python: string, args: string[], env: Program["env"]) {
  try {
    return await new Deno.Command(python, {
      args,
      env: { NO_COLOR: "1", ...NO_LAVAPIPE_SETTINGS, ...env },
    }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new NoPeer(`there is no program "${python}": name a Python with --python.`);
  }
}

/** The last line of what a program said. */
function last(said: string): string {
  return said.trimEnd().split("\n").at(-1) || "it said nothing.";
}
