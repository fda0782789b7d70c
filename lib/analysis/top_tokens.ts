/** The tokens that a feature's decoder row speaks for (spec section 12, top tokens). */
import { progress } from "../cli/progress.ts";
import type { Tokenizer } from "../formats/tokenizer.ts";
import { InputError } from "../formats/input_error.ts";
import { allocateRows, readRows, writeRows } from "../gpu/rows.ts";
import type { RunningModel } from "../session/session.ts";
import type { Subject } from "../subject/subject.ts";
import type { LocatedFeature } from "./located_features.ts";

/** A token and its logit. */
export interface TokenLogit {
  readonly token: number;
  readonly logit: number;
}

/** Decoder rows whose logits are held at a time. */
const ROWS = 64;

/**
 * Logits of the decoder rows as if each were the residual stream after the last block:
 * lm_head(final RMSNorm(W_dec row)).
 *
 * @param top tokens kept of each
 * @returns in the order of the features; largest logit first, ties by lower token
 * @throws InputError for SAEs without a decoder, or of another width than the residual stream
 */
export async function topTokensOf(
  { gpu, llama }: Pick<RunningModel, "gpu" | "llama">,
  { targets }: Pick<Subject, "targets">,
  features: readonly LocatedFeature[],
  top: number,
): Promise<TokenLogit[][]> {
  const found = new Map<LocatedFeature, TokenLogit[]>();
  const shown = progress({ label: "top tokens", total: features.length, unit: "features" });
  try {
    for (const [target, { sae, hookpoint }] of targets.entries()) {
      const own = features.filter((feature) => feature.target === target);
      if (own.length === 0) continue;
      if (!sae?.decoder || sae.inputSize !== llama.config.hiddenSize) {
        throw new InputError(
          `${
            sae?.where ?? hookpoint.name
          } has no decoder rows of ${llama.config.hiddenSize} values, ` +
            `which top-tokens needs: give SAEs with a decoder, of MLP outputs or the residual stream.`,
        );
      }
      for (let from = 0; from < own.length; from += ROWS) {
        const some = own.slice(from, from + ROWS);
        const rows = await sae.decoder.rows(some.map(({ index }) => index));
        using vectors = allocateRows(gpu, "decoder rows", some.length, sae.inputSize);
        writeRows(gpu, vectors, rows);
        using logits = await llama.logits(vectors, [...some.keys()]);
        const values = await readRows(gpu, logits);
        some.forEach((feature, i) => {
          const own = values.subarray(i * logits.width, (i + 1) * logits.width);
          found.set(feature, largest(own, top));
        });
        shown.update(found.size, hookpoint.name);
      }
    }
  } finally {
    shown.done();
  }
  return features.map((feature) => found.get(feature)!);
}

/** The `top` largest logits, ties by lower token. */
export function largest(logits: Float32Array, top: number): TokenLogit[] {
  const best: TokenLogit[] = [];
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token];
    if (best.length === top && !(logit > best[top - 1].logit)) continue;
    const place = best.findLastIndex((other) => other.logit >= logit) + 1;
    best.splice(place, 0, { token, logit });
    if (best.length > top) best.pop();
  }
  return best;
}

/** A token as text; a part of a character is U+FFFD. Padding of the vocabulary is no text. */
export function tokenAsText(tokenizer: Tokenizer, token: number): string {
  return token < tokenizer.vocabSize ? tokenizer.decode([token]) : "";
}
