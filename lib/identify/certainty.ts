/** How sure identify is of its features, computed under a progress display. */
import { remark } from "../cli/output.ts";
import { type Progress, progress } from "../cli/progress.ts";
import { type Certainty, certaintyOf } from "../lape/certainty.ts";
import type { Identification } from "../lape/identification.ts";
import type { PooledCounts } from "../lape/pool.ts";
import type { IdentifyOptions } from "./options.ts";

const UNITS = { bootstrap: "features", permutations: "units" } as const;

/** Milliseconds of computing after which signals are seen to. */
const BREATH = 100;

/**
 * Intervals and q-values of the features, as far as the options ask for them and counts allow them;
 * says so where they do not.
 */
export async function measureCertainty(
  pooled: PooledCounts,
  identification: Identification,
  { bootstrap, permutations, seed }: IdentifyOptions,
): Promise<Certainty | undefined> {
  if (bootstrap === 0 && permutations === 0) return undefined;
  const shown: Partial<Record<keyof typeof UNITS, Progress>> = {};
  let breathed = Date.now();
  const certainty = await certaintyOf(pooled, identification, {
    bootstrap,
    permutations,
    seed,
    async progressed(part, done, total) {
      shown[part] ??= progress({ label: part, total, unit: UNITS[part] });
      shown[part].update(done);
      if (done === total) shown[part].done();
      if (Date.now() - breathed < BREATH) return;
      await new Promise((resolve) => setTimeout(resolve));
      breathed = Date.now();
    },
  });
  if (!certainty) {
    remark(
      "These counts do not tell documents apart, hence there are no intervals and no q-values; count " +
        "again to have them.",
    );
  }
  return certainty;
}
