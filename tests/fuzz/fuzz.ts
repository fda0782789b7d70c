/**
 * Fuzzes the readers: `deno run --allow-all tests/fuzz/fuzz.ts [--inputs 1000000] [--seed 1]
 * [--target gguf]`. A finding is said with its seed and number and written to a file;
 * `--target gguf --seed 1 --input 4711` reads that one again.
 */
import { parseArgs } from "node:util";
import { print } from "../../lib/cli/output.ts";
import { campaign, type Finding } from "./campaign.ts";
import type { Job } from "./inputs.ts";
import { inputOf, judge } from "./target.ts";
import { targetNamed, TARGETS } from "./targets.ts";

/** Jobs of a campaign: its inputs divided among the targets by their shares. */
export function jobsOf(inputs: number, seed: number, targets = TARGETS): Job[] {
  const shares = targets.reduce((sum, { share }) => sum + share, 0);
  return targets.map(({ name, share }) => ({
    target: name,
    seed,
    from: 0,
    to: Math.ceil(inputs * share / shares),
  }));
}

/** Writes the input of a finding and returns its path. */
export async function keep({ target, seed, n }: Finding, folder: string): Promise<string> {
  const path = `${folder}/${target}-${seed}-${n}.bin`;
  await Deno.writeFile(path, await inputOf(targetNamed(target), seed, n));
  return path;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      inputs: { type: "string", default: "1000000" },
      seed: { type: "string", default: "1" },
      target: { type: "string" },
      input: { type: "string" },
    },
  });
  const seed = Number(values.seed);
  const targets = values.target === undefined ? TARGETS : [targetNamed(values.target)];
  if (values.input !== undefined) {
    const outcome = await judge(targets[0], await inputOf(targets[0], seed, Number(values.input)));
    print(JSON.stringify(outcome, null, 2));
    return outcome.kind === "finding" ? 1 : 0;
  }
  const folder = await Deno.makeTempDir({ prefix: "fuzz-" });
  const { findings } = await campaign(jobsOf(Number(values.inputs), seed, targets), {
    onDone(target, { read, refused, refusals, peak }) {
      const mib = Math.round(peak / 2 ** 20);
      print(`${target}: ${read} read, ${refused} refused in ${refusals.length} ways, ${mib} MiB`);
    },
    async onFinding(finding) {
      print(`${finding.target} input ${finding.n}: ${finding.what}`);
      print(`  ${await keep(finding, folder)}`);
    },
  });
  print(`${findings.length} findings`);
  return findings.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
