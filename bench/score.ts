/** Scoring texts, as `ppl` does: the whole pass, to the logits. */
import { join } from "node:path";
import { readJson, writeAtomic } from "../lib/data/files.ts";
import type { Gpu } from "../lib/gpu/device.ts";
import { scoreTexts } from "../lib/steer/perplexity.ts";
import { checkScore } from "./agreement.ts";
import { alternate, type Contender } from "./measure.ts";
import type { Peer } from "./peer.ts";
import { LIMITS, type RunningModel } from "./running_model.ts";
import type { TokenWork } from "./token_rates.ts";
import { timed } from "./workload.ts";
import { device, type Effort } from "./writing.ts";

/** How a peer does it. */
const WAYS = [
  { task: "score", name: "one text per forward" },
  { task: "score_batched", name: "batches, padded" },
];

/**
 * Measures the scoring of texts against a peer that scores them one by one, and in batches.
 *
 * @param path of the model, for the peer
 * @throws WrongResult when the peer's scores are others
 */
export async function measureScoring(
  gpu: Gpu,
  running: RunningModel,
  path: string,
  texts: readonly Uint32Array[],
  peer: Peer | undefined,
  { rounds, runMs, folder }: Effort,
): Promise<Omit<TokenWork, "name">> {
  const file = join(folder, "texts.json");
  const answer = join(folder, "score.json");
  await writeAtomic(file, JSON.stringify(texts.map((ids) => [...ids])));
  const peers: Contender[] = await peer?.prepareAll(WAYS.map(({ task, name }) => ({
    name: `${peer.label}, ${name}`,
    task: { task, model: path, texts: file, answer, ...device(gpu, peer) },
  }))) ?? [];
  if (peer) checkScore(await score(running, texts), await readJson(answer) as number);
  const contender: Contender = {
    name: "babelscope",
    run: (repeats) =>
      timed(async () => {
        for (let i = 0; i < repeats; i++) await score(running, texts);
      }),
  };
  const [ours, ...theirs] = await alternate([contender, ...peers], rounds, runMs);
  return { tokens: texts.reduce((sum, { length }) => sum + length, 0), ours, peers: theirs };
}

/** The sum of all texts' negative log-likelihoods, in nats. */
async function score({ llama }: RunningModel, texts: readonly Uint32Array[]): Promise<number> {
  let sum = 0;
  for await (const scores of scoreTexts(llama, texts.map((ids) => ({ ids })), LIMITS)) {
    for (const { negativeLogLikelihood } of scores) sum += negativeLogLikelihood;
  }
  return sum;
}
