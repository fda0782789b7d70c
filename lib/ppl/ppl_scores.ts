/**
 * Scores of texts under interventions, part by part: a part is one language's texts under one
 * intervention. Parts share batches, and those that are done are kept.
 */
import type { Checkpoint } from "../data/checkpoint.ts";
import { NO_GROUP } from "../gpu/add_vector.ts";
import type { RunningModel } from "../session/session.ts";
import { EditHooks } from "../steer/edit_hooks.ts";
import type { Impacted, Intervention, Scores } from "../steer/effects.ts";
import type { Edit } from "../steer/interventions.ts";
import { scoreEditedTexts, type TextScore } from "../steer/perplexity.ts";
import type { LanguageIntervention } from "../steer/language_interventions.ts";
import type { LanguageTexts } from "./ppl_texts.ts";

/** What a checkpoint keeps of a part: -Σ ln p of each text, in nats. */
export type ScoredPart = readonly number[];

/** One language's texts under one intervention. */
interface Part {
  readonly key: string;
  readonly group: number;
  readonly texts: LanguageTexts["texts"];
}

/** Scores of the model as it is and with interventions. */
export interface Measured {
  /** In the order of the languages of the texts. */
  readonly impacted: readonly Impacted[];
  /** In the order of the interventions given. */
  readonly interventions: readonly Intervention[];
}

/** Who is told how far it is. */
export interface Listener {
  /** Called once, with the tokens that are left to score. */
  started(tokens: number): void;
  /** @param tokens scored so far */
  progressed(tokens: number, part: string): void;
}

/**
 * Scores all texts without an intervention, with each, and with each control.
 *
 * @param checkpoint has the parts that need no scoring, and gets the others
 */
export async function scoreAll(
  languages: readonly LanguageTexts[],
  interventions: readonly LanguageIntervention[],
  checkpoint: Checkpoint<ScoredPart>,
  model: RunningModel,
  listener: Listener,
): Promise<Measured> {
  const sets = interventions.flatMap(({ edits, controls }) => [edits, ...controls]);
  const variants = [
    { name: "normal", group: NO_GROUP },
    ...interventions.flatMap(({ code, controls }) => [
      code,
      ...controls.map((_, draw) => `${code} control ${draw + 1}`),
    ]).map((name, group) => ({ name, group })),
  ];
  const parts = variants.map(({ name, group }) =>
    languages.map(({ language, texts }): Part => ({
      key: `${name}: ${language.name}`,
      group,
      texts,
    }))
  );
  const missing = parts.flat().filter(({ key }) => !checkpoint.get(key));
  if (missing.length > 0) await scoreParts(model, sets, missing, checkpoint, listener);
  const scores = parts.map((row) => row.map((part) => scoresOf(part, checkpoint.get(part.key))));
  const impacted = languages.map(({ documents }, j) => ({ normal: scores[0][j], documents }));
  const rest = scores.slice(1).values();
  const take = (): Scores => rest.next().value ?? [];
  return {
    impacted,
    interventions: interventions.map(({ name, controls }) => {
      const own = languages.findIndex(({ language }) => language.name === name);
      return {
        own: own < 0 ? undefined : own,
        scores: take(),
        controls: controls.map(take),
      };
    }),
  };
}

async function scoreParts(
  { gpu, llama, limits }: RunningModel,
  sets: readonly (readonly Edit[])[],
  parts: readonly Part[],
  checkpoint: Checkpoint<ScoredPart>,
  { started, progressed }: Listener,
): Promise<void> {
  const texts = parts.flatMap(({ texts, group }) => texts.map(({ ids }) => ({ ids, group })));
  started(texts.reduce((sum, { ids }) => sum + ids.length, 0));
  using edits = new EditHooks(gpu, sets);
  const left = parts.values();
  let part = left.next().value;
  let found: number[] = [];
  let tokens = 0;
  for await (const scores of scoreEditedTexts(gpu, llama, texts, limits, edits)) {
    await gpu.profiler?.collect();
    for (const { negativeLogLikelihood, tokens: predicted } of scores) {
      found.push(negativeLogLikelihood);
      tokens += predicted + 1;
      if (!part || found.length < part.texts.length) continue;
      await checkpoint.put(part.key, found);
      progressed(tokens, part.key);
      [part, found] = [left.next().value, []];
    }
    progressed(tokens, part?.key ?? "");
  }
}

function scoresOf({ texts }: Part, found: ScoredPart = []): TextScore[] {
  return texts.map(({ ids }, i) => ({
    tokens: ids.length - 1,
    negativeLogLikelihood: found[i] ?? NaN, // JSON has no NaN
  }));
}
