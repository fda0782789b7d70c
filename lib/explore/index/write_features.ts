import type { DatabaseSync } from "node:sqlite";
import { progress } from "../../cli/progress.ts";
import type { IndexSources, Owners } from "./build_index.ts";
import { latentStatistics } from "./statistics.ts";

/** Writes the numbers of all latents; intervals of identified ones. */
export function writeFeatures(
  database: DatabaseSync,
  { results: { options }, counts: { pooled } }: IndexSources,
  owners: Owners,
): void {
  const { layers, width, languages } = pooled;
  const insert = database.prepare(`
    INSERT INTO features
      (id, layer, "index", identified, languages, strongest, entropy, low, high, probability,
        max, statistics)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const own = database.prepare("INSERT INTO owners (language, id) VALUES (?, ?)");
  const statisticsOf = latentStatistics(pooled, options);
  const shown = progress({
    label: "statistics",
    total: layers.length * width,
    unit: "latents",
  });
  try {
    for (let id = 0; id < layers.length * width; id++) {
      const named = owners.get(id) ?? [];
      const identified = named.length > 0;
      const numbers = statisticsOf(id, identified);
      const { entropy, entropyInterval, strongest, probability, max, values } = numbers;
      insert.run(
        ...[id, layers[Math.floor(id / width)], id % width, Number(identified)],
        ...[JSON.stringify(named), strongest, entropy],
        ...entropyInterval ?? [null, null],
        ...[probability, max],
        new Uint8Array(values.buffer),
      );
      for (const name of named) own.run(languages.indexOf(name), id);
      if (id % width === width - 1) shown.update(id + 1);
    }
  } finally {
    shown.done();
  }
}
