/** Figures of trainings, and of evaluations of SAEs. */
import { join } from "node:path";
import { readText } from "../../data/files.ts";
import type { Figure } from "../../figures/figure.ts";
import { evaluationFigures, type MeasureWords } from "../../figures/sae_evaluation.ts";
import { trainingFigures, type TrainingPoint } from "../../figures/training_curves.ts";
import { InputError } from "../../formats/input_error.ts";
import { foldersWith, rowsOf } from "./result_folder.ts";

const LOG = "metrics.jsonl";
const TABLE = "evaluation.parquet";

/** What is shown of an evaluation. */
const MEASURES: readonly MeasureWords[] = [
  {
    measure: "fvu",
    title: "Variance left unexplained",
    see: "The less colour, the more the SAE says of what the model computes in this language.",
  },
  {
    measure: "l0",
    title: "Active latents per token",
    see: "How many latents it takes to describe a token of a language.",
  },
  {
    measure: "dead_share",
    title: "Share of latents that are never active",
    see: "Latents that no text of the language uses: they are not about it.",
  },
  {
    measure: "ce_recovered_zero",
    title: "Share of the model’s predictions that is kept",
    see: "The more colour the better: of what the model loses in cross-entropy without its " +
      "activations, the SAE’s reconstruction keeps so much.",
  },
  {
    measure: "kl_sae",
    title: "Divergence of predictions (KL, nats per token)",
    see:
      "The less colour, the more alike are the model’s predictions with the SAE’s reconstruction.",
  },
];

/**
 * The curves of every training in a folder.
 *
 * @throws InputError for a file that is damaged
 */
export async function trainingCurves(folder: string): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const name of await foldersWith(folder, LOG)) {
    const path = join(folder, name, LOG);
    figures.push(...trainingFigures(pointsOf(await readText(path), path), name));
  }
  return figures;
}

/** Lines have values under `<value>/<coder>`; the last may be one that was being written. */
function pointsOf(text: string, path: string): TrainingPoint[] {
  const lines = text.split("\n");
  const whole = lines.slice(0, -1).filter((line) => line !== "");
  return whole.flatMap((line, i) => {
    const values = valuesOf(line, `${path}, line ${i + 1}`);
    const coders = new Map<string, Record<string, number>>();
    for (const [key, value] of Object.entries(values)) {
      const slash = key.indexOf("/");
      if (slash < 0) continue;
      const coder = key.slice(slash + 1);
      const own = coders.get(coder) ?? {};
      own[key.slice(0, slash)] = value;
      coders.set(coder, own);
    }
    return [...coders].map(([coder, own]) => ({
      step: values.step,
      tokens: values.tokens,
      coder,
      values: own,
    }));
  });
}

function valuesOf(line: string, where: string): Record<string, number> {
  try {
    const values: unknown = JSON.parse(line);
    if (typeof values === "object" && values !== null) return values as Record<string, number>;
  } catch {
    // said below
  }
  throw new InputError(`${where} is not a line of a training's log; train again, or put it back.`);
}

/**
 * What `evaluate-sae` measured.
 *
 * @throws InputError for a file that is damaged
 */
export async function saeEvaluations(folder: string): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const name of await foldersWith(folder, TABLE)) {
    const columns = ["hookpoint", "language", ...MEASURES.map(({ measure }) => measure)];
    const rows = await rowsOf(join(folder, name, TABLE), columns);
    const saes = rows.map(({ hookpoint, language, ...measures }) => ({
      hookpoint: String(hookpoint),
      language: String(language),
      measures: Object.fromEntries(
        Object.entries(measures).map((
          [key, value],
        ) => [key, value === null ? null : Number(value)]),
      ),
    }));
    figures.push(...evaluationFigures(saes, MEASURES, name.replace(/\/?evaluation$/, "")));
  }
  return figures;
}
