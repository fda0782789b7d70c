/**
 * The steps of babelscope: the tasks of deno.json. The launcher runs this file without a step to
 * list them, and with one to learn (by exit code 0 or 2) whether there is such a step.
 */
import { orNearest } from "./nearest.ts";
import { print, remark } from "./output.ts";
import { table } from "./table.ts";

/** Descriptions of the steps by name, in the order of deno.json. */
export async function readSteps(): Promise<Map<string, string>> {
  const { tasks } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  return new Map(
    Object.entries<{ description: string }>(tasks).map(([name, task]) => [name, task.description]),
  );
}

/** What `babelscope` says when it is asked nothing. */
export function overview(steps: ReadonlyMap<string, string>): string {
  const rows = [...steps].map(([name, description]) => [`  ${name}`, description]);
  return [
    "Usage: babelscope <step> [options]",
    "",
    table([{ header: "  step" }, { header: "what it does" }], rows),
    "",
    '"babelscope <step> --help" shows the options of a step.',
  ].join("\n");
}

if (import.meta.main) {
  const steps = await readSteps();
  const [step] = Deno.args;
  if (step === undefined) {
    print(overview(steps));
  } else if (!steps.has(step)) {
    remark(`babelscope: there is no step "${step}"${orNearest(step, steps.keys())}`);
    Deno.exit(2);
  }
}
