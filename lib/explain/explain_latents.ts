/** From latents to explanations, on disk. */
import { join } from "node:path";
import { InputError } from "../formats/input_error.ts";
import { BudgetSpent, ChatFailure } from "../llm/chat.ts";
import type { LatentExamples } from "../interpret/example.ts";
import type { Explainer } from "../interpret/explainers/explainer.ts";
import { askedHash, type Asking } from "./asking.ts";
import type { Finished, FinishedEntry } from "./finished.ts";
import { inOrder } from "./in_order.ts";
import {
  explanationPath,
  promptPath,
  readStoredText,
  writeValue,
} from "../interpret/results/result_files.ts";
import type {
  ChosenLatent,
  Explained,
  ExplanationOutcome,
  LatentInGroup,
} from "../interpret/results/found.ts";

/** What a latent's examples are loaded by. */
export type LoadExamples = (latent: ChosenLatent) => Promise<LatentExamples>;

/** What explaining needs. */
export interface Explaining {
  readonly folder: string;
  readonly explainer: Explainer;
  readonly asking: Asking;
  /** What names the model that is asked: part of what makes two questions the same. */
  readonly model: unknown;
  readonly finished: Finished;
  readonly load: LoadExamples;
  /** Latents in work at a time. */
  readonly atATime: number;
  /** Ends the work, with what is asked already. */
  readonly signal: AbortSignal;
}

/**
 * Explains latents and writes `explanations/` and `prompts/`. One that is done is not asked about
 * again; one that fails does not end the run.
 *
 * @param done told after each latent
 * @returns in the order of `latents`
 */
export async function explainLatents(
  latents: readonly LatentInGroup[],
  explaining: Explaining,
  done: () => void,
): Promise<Explained[]> {
  const outcomes = new Map<LatentInGroup, Explained>();
  await inOrder(
    latents,
    explaining,
    async (item) => ({ item, examples: await explaining.load(item.latent) }),
    async ({ item, examples }) => {
      outcomes.set(item, { ...item, ...await outcome(item, examples, explaining) });
      done();
    },
  );
  return latents.flatMap((item) => outcomes.get(item) ?? []);
}

async function outcome(
  { latent, group }: LatentInGroup,
  examples: LatentExamples,
  { folder, explainer, asking, model, finished }: Explaining,
): Promise<ExplanationOutcome> {
  const request = explainer.ask(examples, 0);
  const asked = askedHash(model, explainer.name, request);
  const path = explanationPath(folder, group, latent);
  const known = await finished.get(path, asked);
  const stored = known && await readStoredText(path);
  if (known && stored !== undefined) return asStored(stored, known);
  await writeValue(promptPath(folder, group, latent), request.messages.at(-1)?.content);
  try {
    const { text, problem } = await asking.explanation(explainer, examples);
    await writeValue(path, text);
    await finished.put(path, { asked, ...problem && { problem, text } });
    return { kind: "explained", text, problem };
  } catch (error) {
    if (error instanceof ChatFailure) return { kind: "unanswered", reason: error.message };
    if (error instanceof BudgetSpent) return { kind: "unasked" };
    throw error;
  }
}

/**
 * The explanations that lie in the folder (explainer `none`), from an earlier run, another program or
 * an editor.
 *
 * @throws InputError when there are none at all
 */
export async function storedExplanations(
  latents: readonly LatentInGroup[],
  folder: string,
  finished: Finished,
): Promise<Explained[]> {
  const found: Explained[] = [];
  for (const { latent, group } of latents) {
    const path = explanationPath(folder, group, latent);
    const text = await readStoredText(path);
    const outcome: ExplanationOutcome = text === undefined
      ? { kind: "unanswered", reason: `There is no explanation in ${path}.` }
      : asStored(text, await finished.get(path));
    found.push({ latent, group, ...outcome });
  }
  if (found.some(({ kind }) => kind === "explained")) return found;
  throw new InputError(
    `There is no explanation in ${
      join(folder, "explanations")
    } of any of the latents; let them be ` +
      `explained first, without --explainer none.`,
  );
}

function asStored(text: string, entry: FinishedEntry | undefined): ExplanationOutcome {
  const problem = entry?.text === text ? entry.problem : undefined;
  return { kind: "explained", text, problem };
}
