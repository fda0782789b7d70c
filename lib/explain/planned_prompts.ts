/** Every prompt of a run, and about what it would cost, without asking anyone (`--dry-run`). */
import { join } from "node:path";
import type { Embedder } from "../llm/chat.ts";
import { estimate } from "../llm/estimate.ts";
import { costOf, type Prices } from "../llm/prices.ts";
import { roughTokens } from "../llm/token_counts.ts";
import type { Explainer } from "../interpret/explainers/explainer.ts";
import type { Scorer } from "../interpret/scorers/open_scorer.ts";
import type { LoadExamples } from "./explain_latents.ts";
import {
  type Group,
  groupFolder,
  latentStem,
  writeValue,
} from "../interpret/results/result_files.ts";
import type { Scorable } from "./score_latents.ts";
import type { LatentInGroup } from "../interpret/results/found.ts";

/** What one part of the run would take. */
export interface PlannedPart {
  readonly part: string;
  readonly group: Group;
  readonly latents: number;
  /** Questions; of scorers that compare vectors, texts. */
  readonly questions: number;
  readonly prompt_tokens: number;
  /** At most. */
  readonly completion_tokens: number;
  /** At most; null without prices, and for what costs nothing but time. */
  readonly dollars: number | null;
}

/** What dry runs need. */
export interface DryRun {
  /** Of the prompts. */
  readonly folder: string;
  readonly load: LoadExamples;
  readonly chatPrices?: Prices;
  readonly embeddingPrices?: Prices;
  /** Told after each latent of each part. */
  done(): void;
}

/** Stands for an explanation that is not known before it is asked for, and is about as long. */
export function expectedExplanation({ latent }: LatentInGroup): string {
  return `(here goes the explanation of latent ${latent.index} of ${latent.hookpoint}, which is not ` +
    `known before the model has been asked for it)`;
}

/** Writes the prompts of an explainer. */
export async function planExplanations(
  latents: readonly LatentInGroup[],
  explainer: Explainer,
  { folder, load, chatPrices, done }: DryRun,
): Promise<PlannedPart[]> {
  return await eachGroup(latents, async (item) => {
    const request = explainer.ask(await load(item.latent), 0);
    await writeValue(promptFile(folder, item, "explanations"), [request.messages]);
    done();
    return estimate([request], chatPrices);
  }, "explanations");
}

/** Writes the prompts of a scorer, or the texts that it compares. */
export async function planScores(
  scorables: readonly Scorable[],
  scorer: Scorer,
  { folder, load, chatPrices, embeddingPrices, done }: DryRun,
): Promise<PlannedPart[]> {
  return await eachGroup(scorables, async (item) => {
    const examples = await load(item.latent);
    done();
    const path = promptFile(folder, item, join("scores", scorer.name));
    if (scorer.asks === "chat") {
      const requests = scorer.questions(examples, item.text ?? "")
        .map((question) => question.request(0));
      await writeValue(path, requests.map(({ messages }) => messages));
      return estimate(requests, chatPrices);
    }
    if (scorer.asks === "losses") return NOTHING;
    const texts: string[] = [];
    await scorer.rows(examples, item.text ?? "", listening(texts));
    await writeValue(path, texts);
    const promptTokens = texts.reduce((sum, text) => sum + roughTokens(text), 0);
    const usage = { promptTokens, completionTokens: 0 };
    const dollars = embeddingPrices ? costOf(usage, embeddingPrices) : null;
    return { questions: texts.length, ...usage, dollars };
  }, scorer.name);
}

const NOTHING = { questions: 0, promptTokens: 0, completionTokens: 0, dollars: 0 };

/** Notes texts; all of them mean the same to it. */
function listening(texts: string[]): Embedder {
  return {
    embed(asked) {
      texts.push(...asked);
      return Promise.resolve(asked.map(() => Float32Array.of(1)));
    },
  };
}

function promptFile(folder: string, { latent, group }: LatentInGroup, part: string): string {
  return join(groupFolder(folder, group), part, `${latentStem(latent)}.json`);
}

type PartEstimate = ReturnType<typeof estimate>;

async function eachGroup<T extends LatentInGroup>(
  items: readonly T[],
  plan: (item: T) => Promise<PartEstimate>,
  part: string,
): Promise<PlannedPart[]> {
  const parts: PlannedPart[] = [];
  for (const group of new Set(items.map(({ group }) => group))) {
    const own = items.filter((item) => item.group === group);
    const plans: PartEstimate[] = [];
    for (const item of own) plans.push(await plan(item));
    const total = (of: (plan: PartEstimate) => number) =>
      plans.reduce((sum, one) => sum + of(one), 0);
    parts.push({
      part,
      group,
      latents: own.length,
      questions: total(({ questions }) => questions),
      prompt_tokens: total(({ promptTokens }) => promptTokens),
      completion_tokens: total(({ completionTokens }) => completionTokens),
      dollars: plans.some(({ dollars }) => dollars === null)
        ? null
        : total(({ dollars }) => dollars ?? 0),
    });
  }
  return parts;
}
