/** From explanations to scores, on disk. */
import { allAnswered } from "../llm/all_answered.ts";
import { BudgetSpent, ChatFailure, type Embedder } from "../llm/chat.ts";
import type { LatentExamples } from "../interpret/example.ts";
import type { Scorer } from "../interpret/scorers/open_scorer.ts";
import type { ChatScorer, TokenLosses } from "../interpret/scorers/scorer.ts";
import { askedHash, type Asking } from "./asking.ts";
import type { LoadExamples } from "./explain_latents.ts";
import type { Finished } from "./finished.ts";
import { inOrder } from "./in_order.ts";
import { scorePath, writeValue } from "../interpret/results/result_files.ts";
import type { LatentInGroup, Scored } from "../interpret/results/found.ts";

/** A latent and the explanation that is scored on it: its own, or another's. */
export interface Scorable extends LatentInGroup {
  /** Undefined where there is none: the latent only takes its place in the order of B.7. */
  readonly text: string | undefined;
}

/** Whoever is asked, and what names them: part of what makes two questions the same. */
export interface Judges {
  readonly asking: Asking;
  readonly chatModel: unknown;
  readonly embedder: Embedder;
  readonly embeddingModel: unknown;
  readonly losses: TokenLosses;
  readonly lossModel: unknown;
}

/** What scoring needs. */
export interface Scoring {
  readonly folder: string;
  readonly judges: Judges;
  readonly finished: Finished;
  readonly load: LoadExamples;
  /** Score again what is scored (`--overwrite scores`). */
  readonly anew: boolean;
  /** Latents in work at a time. */
  readonly atATime: number;
  /** Ends the work, with what is asked already. */
  readonly signal: AbortSignal;
}

/** What is asked about a latent, ready to be asked. */
interface Inquiry {
  /** Hash of it. */
  readonly asked: string;
  ask(): Promise<Judgement>;
}

interface Judgement {
  readonly rows: readonly unknown[];
  readonly failures: readonly string[];
  /** False where asking again later could bring more. */
  readonly final: boolean;
}

/**
 * Scores explanations by one scorer and writes its files. One that is done is not asked about again;
 * one that fails does not end the run.
 *
 * @param scorables of one group, in the order of B.3, which matters under `--compat paper`
 * @param scorer opened for them alone
 * @param done told after each latent
 * @returns in the order of `scorables`
 */
export async function scoreLatents(
  scorables: readonly Scorable[],
  scorer: Scorer,
  scoring: Scoring,
  done: () => void,
): Promise<Scored[]> {
  const scores = new Map<Scorable, Scored>();
  await inOrder(
    scorables,
    scoring,
    async (item) => {
      const examples = await scoring.load(item.latent);
      return { item, inquiry: inquiryAbout(scorer, item.text ?? "", examples, scoring.judges) };
    },
    async ({ item, inquiry }) => {
      const { latent, group, text } = item;
      if (text !== undefined) {
        const outcome = await scored(item, scorer, inquiry, scoring);
        scores.set(item, { latent, group, scorer: scorer.name, ...outcome });
      }
      done();
    },
  );
  return scorables.flatMap((item) => scores.get(item) ?? []);
}

async function scored(
  { latent, group }: Scorable,
  scorer: Scorer,
  { asked, ask }: Inquiry,
  { folder, finished, anew }: Scoring,
): Promise<Pick<Scored, "score" | "failures">> {
  const path = scorePath(folder, group, scorer.name, latent);
  const known = anew ? undefined : await finished.get(path, asked);
  if (known?.score) return { score: known.score, failures: known.failures ?? [] };
  try {
    const { rows, failures, final } = await ask();
    const score = scorer.score(rows);
    await writeValue(path, scorer.file(rows));
    if (final) await finished.put(path, { asked, score, failures: [...failures] });
    return { score, failures };
  } catch (error) {
    if (error instanceof ChatFailure) return { score: undefined, failures: [error.message] };
    if (error instanceof BudgetSpent) return { score: undefined, failures: [] };
    throw error;
  }
}

function inquiryAbout(
  scorer: Scorer,
  text: string,
  examples: LatentExamples,
  judges: Judges,
): Inquiry {
  if (scorer.asks === "chat") return chatInquiry(scorer, text, examples, judges);
  const { asking, embedder, embeddingModel, losses, lossModel } = judges;
  const seen = [...examples.test, ...examples.nonActivating]
    .map(({ ids, activating, distance }) => [[...ids], activating, distance]);
  const final = (rows: readonly unknown[]) => ({ rows, failures: [], final: true });
  if (scorer.asks === "embedder") {
    return {
      asked: askedHash(embeddingModel, scorer.name, text, examples.latent, seen),
      ask: async () => final(await asking.guarded(() => scorer.rows(examples, text, embedder))),
    };
  }
  return {
    asked: askedHash(lossModel, scorer.name, text, examples.latent, seen),
    ask: async () => final(await scorer.rows(examples, text, losses)),
  };
}

/** Intruders want several examples of one quantile. */
const NO_QUESTION = "There are too few examples for a question of this scorer.";

function chatInquiry(
  scorer: ChatScorer<unknown>,
  text: string,
  examples: LatentExamples,
  { asking, chatModel }: Judges,
): Inquiry {
  const questions = scorer.questions(examples, text);
  return {
    asked: askedHash(chatModel, scorer.name, questions.map((question) => question.request(0))),
    async ask() {
      const answers = await allAnswered(questions.map((question) => asking.rows(question)));
      return {
        rows: answers.flatMap(({ value }) => value),
        failures: questions.length === 0
          ? [NO_QUESTION]
          : answers.flatMap(({ failure }) => failure ?? []),
        final: answers.every(({ passing }) => !passing),
      };
    },
  };
}
