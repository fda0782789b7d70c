import type { DatabaseSync } from "node:sqlite";
import { progress } from "../../cli/progress.ts";
import { readActivations, type SparseActivations } from "../../interpret/activations.ts";
import type { PooledCounts } from "../../lape/pool.ts";
import type { RunningModel } from "../../session/session.ts";
import type { Subject } from "../../subject/subject.ts";
import type { Extent } from "./extent.ts";
import { binOf, encodeFirings, encodeHistogram, FiringCollector } from "./firings.ts";
import type { IndexText } from "./index_texts.ts";
import { BINS, inTransaction } from "./schema.ts";

/** What the pass over the texts needs. */
export interface FiringSources {
  readonly subject: Subject;
  readonly model: RunningModel;
  readonly texts: readonly IndexText[];
  readonly extent: Extent;
  readonly pooled: PooledCounts;
}

/** Runs the texts, language by language, and writes where tracked latents fire, and histograms. */
export async function writeFirings(
  database: DatabaseSync,
  { subject, model, texts, extent, pooled }: FiringSources,
): Promise<void> {
  const slots = slotsOf(extent, pooled);
  const insert = database.prepare(
    "INSERT INTO firings (id, language, histogram, firings) VALUES (?, ?, ?, ?)",
  );
  const targets = pooled.layers.map((layer) =>
    subject.targets.find(({ hookpoint }) => hookpoint.layer === layer)!
  );
  const wanted = extent.texts === Infinity ? undefined : wantedIn(extent, pooled);
  const total = texts.reduce((sum, { ids }) => sum + ids.length, 0);
  const shown = progress({ label: "reading texts", total, unit: "tokens" });
  const largest = largestOf(extent, pooled);
  let [first, done] = [0, 0];
  try {
    for (const [g, language] of pooled.languages.entries()) {
      const own = texts.filter((text) => text.language === g);
      const collector = new FiringCollector(extent.tracked.length, {
        texts: extent.texts,
        always: (text) => texts[text].article !== undefined,
      });
      const histograms = new Uint32Array(extent.tracked.length * BINS);
      for await (
        const { text, targets: found } of readActivations(model, targets, own, { wanted })
      ) {
        found.forEach((activations, row) =>
          eachFiring(activations, (unit, token, value) => {
            const slot = slots[row * pooled.width + unit];
            collector.add(slot, first + text, token, value);
            histograms[slot * BINS + binOf(value, largest[slot])]++;
          })
        );
        collector.relieve();
        shown.update(done += own[text].ids.length, language);
      }
      inTransaction(database, () => {
        for (const [slot, firings] of collector.strongest()) {
          const histogram = histograms.subarray(slot * BINS, (slot + 1) * BINS);
          insert.run(
            extent.tracked[slot],
            g,
            encodeHistogram(histogram),
            encodeFirings(firings),
          );
        }
      });
      first += own.length;
    }
  } finally {
    shown.done();
  }
}

/** Position among the tracked latents of every id; only of those that are tracked. */
function slotsOf({ tracked }: Extent, { layers, width }: PooledCounts): Int32Array {
  const slots = new Int32Array(layers.length * width).fill(-1);
  tracked.forEach((id, slot) => slots[id] = slot);
  return slots;
}

/** Largest activation of tracked latents over all languages. */
function largestOf({ tracked }: Extent, { byLanguage }: PooledCounts): Float32Array {
  return Float32Array.from(tracked, (id) => Math.max(...byLanguage.map(({ max }) => max[id])));
}

function wantedIn({ tracked }: Extent, { layers, width }: PooledCounts): ReadonlySet<number>[] {
  const wanted = layers.map(() => new Set<number>());
  for (const id of tracked) wanted[Math.floor(id / width)].add(id % width);
  return wanted;
}

function eachFiring(
  { offsets, units, values }: SparseActivations,
  told: (unit: number, token: number, value: number) => void,
): void {
  for (let token = 0; token + 1 < offsets.length; token++) {
    for (let slot = offsets[token]; slot < offsets[token + 1]; slot++) {
      told(units[slot], token, values[slot]);
    }
  }
}
