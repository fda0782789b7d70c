/** Runs of `interpret` on a few latents of the embedded model, whose activations are read only once. */
import { join } from "node:path";
import { lapeResultJson } from "../../lib/lape/lape_json.ts";
import { copyFolder } from "./folders.ts";
import { type Outcome, ROOT, runScript, withFolder } from "./run.ts";

/** One that fires in too few windows, and one that never fires. */
export const SELDOM = 5;
export const SILENT = 52;

/** Identified latents: [layer, index] by language. */
export const IDENTIFIED: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  English: [[1, 99]],
  German: [[0, 12], [1, 179]],
  Thai: [[0, 10], [0, 85], [1, 1757], [1, SELDOM], [1, SILENT]],
};

/** A folder of results in which activations lie ready. */
export class Interpretable {
  private constructor(readonly folder: string) {}

  /** Reads the activations, as a user would do it by `--populate-cache`. */
  static async prepare(): Promise<Interpretable> {
    const folder = await Deno.realPath(await Deno.makeTempDir());
    await Deno.writeTextFile(join(folder, "lape.json"), JSON.stringify(lapeJson()));
    const prepared = new Interpretable(folder);
    const { code, stderr } = await prepared.interpret(folder, ["--populate-cache"]);
    if (code !== 0) throw new Error(stderr);
    return prepared;
  }

  /** Runs a test with a copy of the folder, without results. */
  async withCopy(body: (folder: string) => Promise<void>): Promise<void> {
    await withFolder(async (folder) => {
      await copyFolder(this.folder, folder);
      await body(folder);
    });
  }

  /** Runs the step in a copy. */
  interpret(
    folder: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<Outcome> {
    return runScript("interpret", withUsual(folder, args), { env });
  }

  /** Starts the step in a copy, to be killed. */
  start(folder: string, args: readonly string[]): Deno.ChildProcess {
    return new Deno.Command(`${ROOT}scripts/interpret.ts`, {
      args: withUsual(folder, args),
      ...{ stdin: "null", stdout: "null", stderr: "piped", env: { NO_COLOR: "1" } },
    }).spawn();
  }

  async remove(): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** What runs are asked for, but for the options that they name themselves. */
function withUsual(folder: string, args: readonly string[]): string[] {
  const usual = {
    "--out-dir": folder,
    "--lape-result-path": join(folder, "lape.json"),
    "--dataset-configs": "udhr:{en,de,th}",
    "--layer": "layers.{0,1}.mlp",
    "--min-examples": "40",
    "--n-examples-train": "10",
    "--n-examples-test": "10",
    "--n-quantiles": "5",
    "--n-non-activating": "10",
    "--explainer-model": "rules",
    "--request-cache": join(folder, "answers"),
  };
  const others = Object.entries(usual).filter(([name]) => !args.includes(name));
  return [...others.flat(), ...args];
}

function lapeJson() {
  const languages = Object.keys(IDENTIFIED);
  return lapeResultJson({
    languages,
    examples: languages.map(() => 60),
    tokens: languages.map(() => 4000),
    layers: 2,
    features: languages.map((language) =>
      IDENTIFIED[language].map(([layer, index]) => ({
        ...{ layer, index, entropy: 0.1, probability: 0.3 },
        ...{ globalMax: 9, globalMin: 1, globalAvg: 3 },
      }))
    ),
  });
}
