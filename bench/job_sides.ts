/** Who does the job, and how: `identify` of this checkout, and two programs in Python (see peers/). */
import { fileURLToPath } from "node:url";
import { UDHR } from "../lib/data/dataset_configs.ts";
import { type Findings, ourFindings, peerFindings } from "./job_findings.ts";
import type { RandomModel } from "./random_model.ts";
import type { Bench } from "./section.ts";
import type { Program } from "./watched.ts";

/** Texts → features: with which model, on which texts. */
export interface Job {
  readonly model: RandomModel;
  /** Layers of the model, each with an SAE. */
  readonly layers: number;
  /** Codes of the languages. */
  readonly languages: readonly string[];
  /** Rows of the Declaration in each language; all, if not given. */
  readonly rows?: number;
  /** Options that our side needs for it. */
  readonly options: readonly string[];
}

/** One who does jobs. */
export interface Side {
  readonly name: string;
  /**
   * Programs that do a job, any of which a user might start; the fastest counts.
   *
   * @param texts folder with the job's texts as `<lang>.jsonl`
   * @param out where results go
   */
  programs(job: Job, texts: string, out: string): Program[];
  /** What one of them has found. */
  findings(job: Job, out: string): Promise<Findings>;
  /** Folder within `out` of what only later stages need; the rest are results. */
  readonly staged?: string;
}

const ROOT = new URL("../", import.meta.url);
const IDENTIFY = fileURLToPath(new URL("scripts/identify.ts", ROOT));

/** As in the script's first line. */
const PERMISSIONS = ["ffi", "env", "read", "write", "sys", "net"].map((name) => `--allow-${name}`);

/** Switches off what identify does beyond the published method, so that all sides do the same. */
const METHOD_ALONE = [
  ...["--document-groups", "0", "--bootstrap", "0", "--permutations", "0"],
  ...["--no-guard", "--no-report"],
];

/** `identify` as it is, then without what the peers have not. */
export const IDENTIFY_SIDES: { readonly whole: Side; readonly method: Side } = {
  whole: ours("babelscope identify", []),
  method: ours("babelscope identify, method alone", METHOD_ALONE),
};

function ours(name: string, extra: readonly string[]): Side {
  return {
    name,
    programs: (job, _texts, out) => [{
      name,
      command: [
        ...[Deno.execPath(), "run", ...PERMISSIONS, IDENTIFY],
        ...["--model", job.model.model, "--sae-model", job.model.saes, "--out-dir", out],
        ...["--dataset-configs", ...specs(job)],
        ...job.options,
        ...extra,
      ],
    }],
    findings: (job, out) => ourFindings(out, UDHR, job.languages),
  };
}

/** The data sets of a job, as options name them. */
export function specs({ languages, rows }: Job): string[] {
  return languages.map((lang) => `${UDHR}:${lang}${rows ? `:train:0:${rows}` : ""}`);
}

/** The peers, kept to the threads that they get: one alone, and as many as PyTorch likes. */
export function peerSides(
  { python, peerEnvironment, quick }: Bench,
): { original: Side; best: Side } {
  const side = (name: string, script: string, staged?: string): Side => ({
    name,
    staged,
    programs: (job, texts, out) =>
      (quick ? [1] : [1, navigator.hardwareConcurrency]).map((threads) => ({
        name,
        command: [
          ...[python, fileURLToPath(new URL(`peers/${script}`, import.meta.url))],
          ...["--model", job.model.model, "--saes", job.model.saes],
          ...["--layers", String(job.layers), "--texts", texts],
          ...["--languages", ...job.languages, "--out", out],
        ],
        env: {
          OMP_NUM_THREADS: String(threads),
          MKL_NUM_THREADS: String(threads),
          PYTHONDONTWRITEBYTECODE: "1",
          ...peerEnvironment,
        },
      })),
    findings: ({ languages }, out) => peerFindings(out, languages),
  });
  return {
    original: side("the original way", "original_way.py", "sae_features"),
    best: side("the best way in PyTorch", "best_way.py"),
  };
}
