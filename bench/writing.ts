/** Texts written greedily with a KV cache: reading the prompts (prefill), then a token at a time (decode). */
import { join } from "node:path";
import { readJson, writeAtomic } from "../lib/data/files.ts";
import type { Gpu } from "../lib/gpu/device.ts";
import { readRows } from "../lib/gpu/rows.ts";
import { pack } from "../lib/nn/batch.ts";
import { generate } from "../lib/nn/generation.ts";
import { checkGreedy, type GreedyAnswer } from "./agreement.ts";
import { alternate, type Contender, type Series } from "./measure.ts";
import type { Peer } from "./peer.ts";
import { LIMITS, type RunningModel } from "./running_model.ts";
import { remainder } from "./token_rates.ts";
import { timed } from "./workload.ts";

/** Prompts of one length, and how long their continuations are. */
export interface Writing {
  /** Path of the model, for the peer. */
  readonly path: string;
  readonly prompts: readonly Uint32Array[];
  /** Passes after the one over the prompts. */
  readonly passes: number;
}

/** Of each contender, ours first: times of the pass over the prompts and of all passes after it. */
export interface WritingTimes {
  readonly prefill: readonly Series[];
  readonly decode: readonly Series[];
  /** Texts that part from the peer's where two tokens are as good as equal; none without a peer. */
  readonly ties: number;
}

/** The part of the bench that decides how long is measured. */
export interface Effort {
  readonly rounds: number;
  /** How long a contender runs in a round, at least, in milliseconds. */
  readonly runMs?: number;
  /** Where inputs and answers of peers go. */
  readonly folder: string;
}

/**
 * Measures prefill alone and with decode, in the same rounds: decode is what remains. Both draw a token
 * after the prompts.
 *
 * @throws WrongResult when the peer writes other texts
 */
export async function measureWriting(
  gpu: Gpu,
  running: RunningModel,
  writing: Writing,
  peer: Peer | undefined,
  { rounds, runMs, folder }: Effort,
): Promise<WritingTimes> {
  const texts = join(folder, "prompts.json");
  const answer = join(folder, "greedy.json");
  await writeAtomic(texts, JSON.stringify(writing.prompts.map((ids) => [...ids])));
  const task = (newTokens: number) => ({
    name: peer?.label ?? "",
    task: {
      ...{ task: "generate", model: writing.path, texts, new_tokens: newTokens, answer },
      ...device(gpu, peer),
    },
  });
  const steps = [1, 1 + writing.passes];
  const ours = steps.map((step) => writer(gpu, running, writing, step));
  const theirs = await peer?.prepareAll(steps.map(task)) ?? [];
  const ties = peer
    ? await check(gpu, running, writing, await readJson(answer) as GreedyAnswer)
    : 0;
  const contenders = [ours, theirs].flatMap(([prefill, whole]) => prefill ? [prefill, whole] : []);
  const series = await alternate(contenders, rounds, runMs);
  const wholes = series.filter((_, i) => i % 2 === 1);
  const prefill = series.filter((_, i) => i % 2 === 0);
  return { prefill, decode: wholes.map((whole, i) => remainder(whole, prefill[i])), ties };
}

/** Kernels on a GPU have to do with PyTorch on a GPU, where it has one. */
export function device(gpu: Gpu, peer: Peer | undefined): { device?: string } {
  return gpu.identity.family === "tile" && peer?.cuda !== undefined ? { device: "cuda" } : {};
}

function writer(gpu: Gpu, running: RunningModel, writing: Writing, steps: number): Contender {
  return {
    name: "babelscope",
    run: (repeats) =>
      timed(async () => {
        for (let i = 0; i < repeats; i++) await write(gpu, running, writing, steps);
      }),
  };
}

function write(
  gpu: Gpu,
  { llama }: RunningModel,
  { prompts }: Writing,
  steps: number,
): Promise<Uint32Array[]> {
  return generate(gpu, llama, prompts.map((prompt) => ({ prompt, seed: 0 })), LIMITS, {
    maxNewTokens: steps,
    endIds: [],
    sampling: { temperature: 0, topK: 1, topP: 1 },
  });
}

async function check(
  gpu: Gpu,
  running: RunningModel,
  writing: Writing,
  answer: GreedyAnswer,
): Promise<number> {
  const [first] = writing.prompts;
  const residual = await running.llama.forward(pack([first]), [], true);
  using logits = await running.llama.logits(residual, [first.length - 1]);
  const firstLogits = await readRows(gpu, logits);
  const ids = await write(gpu, running, writing, answer.ids[0].length);
  return checkGreedy(ids, firstLogits, answer);
}
