/** Occurrences of units in texts, brought from the order of tokens into that of units. */
import type { SparseActivations } from "../interpret/activations.ts";

/** All occurrences at one hookpoint: unit `u` has places `starts[u]` to `starts[u + 1]`. */
export interface OccurrencesByUnit {
  /** [units + 1] */
  readonly starts: Uint32Array<ArrayBuffer>;
  /** Position of the text in the list; ascending within a unit. */
  readonly texts: Uint32Array<ArrayBuffer>;
  /** Position of the token in its text, 0 is BOS; ascending within a unit and text. */
  readonly tokens: Uint32Array<ArrayBuffer>;
  readonly values: Float32Array<ArrayBuffer>;
}

/**
 * Sorts occurrences by unit, then text, then token: two passes, as a counting sort does.
 *
 * @param activations of one hookpoint, text by text
 * @param units that there are
 */
export function occurrencesByUnit(
  activations: readonly SparseActivations[],
  units: number,
): OccurrencesByUnit {
  const starts = new Uint32Array(units + 1);
  for (const text of activations) for (const unit of text.units) starts[unit + 1]++;
  for (let unit = 0; unit < units; unit++) starts[unit + 1] += starts[unit];
  const total = starts[units];
  const [texts, tokens] = [new Uint32Array(total), new Uint32Array(total)];
  const values = new Float32Array(total);
  const next = starts.slice(0, units);
  for (const [text, { offsets, units, values: own }] of activations.entries()) {
    for (let token = 0; token + 1 < offsets.length; token++) {
      for (let slot = offsets[token]; slot < offsets[token + 1]; slot++) {
        const place = next[units[slot]]++;
        texts[place] = text;
        tokens[place] = token;
        values[place] = own[slot];
      }
    }
  }
  return { starts, texts, tokens, values };
}
