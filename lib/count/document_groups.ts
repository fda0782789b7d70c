/** Groups of documents: what counts are kept apart by, so that intervals can be drawn from them. */
import type { DocumentCounts } from "../formats/counts.ts";
import { documentCounts, type DocumentGroup, joined } from "../lape/counts_documents.ts";

/** Which documents go together, and what the groups are called. */
export interface DocumentGroups {
  readonly labels: readonly string[];
  /** Of each text, an index into the labels. */
  readonly ofText: readonly number[];
}

/**
 * Groups the documents of a counts file: each its own group, `<dataset>:<document>`, where there are
 * at most `most`; else by their number's remainder, `<dataset>:<remainder>/<most>`. Labels do not
 * name the language: texts that are parallel have the same.
 *
 * @param dataset names the data set in the labels
 * @param documents the number of each text's document
 * @param most groups at most; 0 for none at all
 */
export function groupDocuments(
  dataset: string,
  documents: readonly number[],
  most: number,
): DocumentGroups {
  if (most === 0) return { labels: [], ofText: documents.map(() => 0) };
  const own = new Set(documents).size <= most;
  const keys = own ? documents : documents.map((document) => document % most);
  const groups = [...new Set(keys)].sort((a, b) => a - b);
  const index = new Map(groups.map((key, group) => [key, group]));
  return {
    labels: groups.map((key) => `${dataset}:${key}${own ? "" : `/${most}`}`),
    ofText: keys.map((key) => index.get(key)!),
  };
}

type Entries = Pick<DocumentGroup, "units" | "firedTokens">;

/** Collects where units fired by group, layer by layer; only what is not 0 is kept. */
export class GroupedFirings {
  readonly #layers: readonly Entries[][];

  /** @param labels of the groups */
  constructor(readonly labels: readonly string[]) {
    this.#layers = labels.map(() => []);
  }

  /**
   * Adds a layer.
   *
   * @param firedTokens [groups, width]
   * @param first number of the layer's first unit
   */
  add(firedTokens: Uint32Array, first: number): void {
    const width = firedTokens.length / this.labels.length;
    for (const [group, layers] of this.#layers.entries()) {
      layers.push(nonZero(firedTokens.subarray(group * width, (group + 1) * width), first));
    }
  }

  /** @param tokens [groups] tokens counted */
  finish(tokens: Uint32Array): DocumentCounts {
    return documentCounts(this.labels.map((label, group) => ({
      label,
      tokens: tokens[group],
      units: joined(this.#layers[group].map(({ units }) => units)),
      firedTokens: joined(this.#layers[group].map(({ firedTokens }) => firedTokens)),
    })));
  }
}

function nonZero(firedTokens: Uint32Array, first: number): Entries {
  // Most of some 10^8 words are 0 with large SAEs: a plain loop over them takes no time, calls would.
  let length = 0;
  for (let unit = 0; unit < firedTokens.length; unit++) if (firedTokens[unit] > 0) length++;
  const entries = { units: new Uint32Array(length), firedTokens: new Uint32Array(length) };
  let at = 0;
  for (let unit = 0; unit < firedTokens.length; unit++) {
    if (firedTokens[unit] === 0) continue;
    entries.units[at] = first + unit;
    entries.firedTokens[at++] = firedTokens[unit];
  }
  return entries;
}
